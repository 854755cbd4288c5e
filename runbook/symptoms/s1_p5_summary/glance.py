"""Whether the last run's claims fit each other and the disk; in full, what the last audit says."""

from __future__ import annotations

from pipeline.contracts.status import Answer, Verdict
from pipeline.reading.facts import Facts
from pipeline.reading.latest_run import CHANGED, Change
from runbook.symptoms.by_report import by_checks
from runbook.symptoms.s1_p5_summary import RECEIPTS, SUMMARY

_by_report = by_checks((SUMMARY, RECEIPTS))


def glance(facts: Facts) -> Answer:
    """A claim that does not hold is seen at once. That all of them do takes an audit to say."""
    faults = [*facts.latest.faults, *(_name(each) for each in facts.moved.of_outputs if each.is_seen)]
    if not faults and facts.latest.hidden:
        return Answer(Verdict.UNKNOWN, facts.latest.hidden, facts.now)
    if not faults:
        return _by_report(facts)
    more = f" (+{len(faults) - 1} more)" if len(faults) > 1 else ""
    return Answer(Verdict.DETECTED, faults[0] + more, facts.now, by_glance=True)


def _name(change: Change) -> str:
    return f"{change.name} is not the file of its receipt" if change.what == CHANGED else str(change)
