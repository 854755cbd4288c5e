"""Glances that several symptoms share: what the last reports say, as far as it may still be believed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.contracts.status import Answer, Verdict
from pipeline.reading.check_report import AUDIT, answer_of_report
from pipeline.reading.facts import Facts
from pipeline.reading.past_runs import CommittedRun, last_committed
from pipeline.reading.symptom_answers import TOUCHED

if TYPE_CHECKING:
    from runbook.probes.evidence import Detection

# What is wrong with the counts of a run, in words; empty when nothing is.
Judge = Callable[[Facts, CommittedRun], str]
Glance = Callable[[Facts], Answer]


def as_old(answer: Answer, facts: Facts) -> Answer:
    """The answer of a report that is older than a change of what it judged says so."""
    is_old = answer.as_of is not None and facts.is_touched_since(answer.as_of)
    return replace(answer, stale=TOUCHED) if is_old else answer


def by_checks(checks: Sequence[str]) -> Glance:
    """A symptom that these checks of the audit tell."""

    def glance(facts: Facts) -> Answer:
        return facts.cannot_read(AUDIT) or as_old(answer_of_report(checks, facts.audit), facts)

    return glance


def in_words_of(told: Answer, seen: Detection) -> Detection:
    """A look that confirms what files tell says it in their words, and since their time, so that every
    face tells the same before anybody has looked and afterwards. ``seen`` keeps its evidence.
    """
    if not seen.answer.is_detected or not told.is_detected or told.stale:
        return seen
    return seen.model_copy(update={"observed": told.observed, "as_of": told.as_of})


def or_by_last_run(by_report: Glance, judge: Judge) -> Glance:
    """``by_report``, and where it does not ring, the counts of a run that is newer than the report.

    The audit recounts and has the last word; until it has, a run's own counts are believed when they
    say that something is wrong, and never when they say that all is well.
    """

    def glance(facts: Facts) -> Answer:
        found = by_report(facts)
        if found.is_detected:
            return found
        run, report = last_committed(facts.root), facts.audit
        if run is None or run.finished_at is None:
            return found
        if report is not None and report.finished_at is not None and report.finished_at >= run.finished_at:
            return found
        told = judge(facts, run)
        return Answer(Verdict.DETECTED, told, run.finished_at, run.summary_path) if told else found

    return glance
