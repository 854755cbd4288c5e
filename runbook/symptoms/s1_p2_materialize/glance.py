"""What the last audit says of the evidence, and what the last run counted of it since."""

from __future__ import annotations

from pipeline.contracts.evidence_fields import words_of_loss
from pipeline.contracts.plurals import plural
from pipeline.reading.facts import Facts
from pipeline.reading.past_runs import CommittedRun
from runbook.symptoms.by_report import by_checks, or_by_last_run
from runbook.symptoms.s1_p2_materialize import CHECKS


def _hollow(facts: Facts, run: CommittedRun) -> str:
    """Tier-1 streams whose lines all came to nothing in that run, or whose rows lost a field by it."""
    found = []
    for stream in facts.settings.streams:
        counted = run.counts_of(stream.name)
        yields = counted.get("looked_up" if stream.role == "lookup" else "evidence", 0)
        if stream.tier == 1 and counted.get("lines") and not yields:
            found.append(f"stream {stream.name} has {plural(counted['lines'], 'line')} and yielded no row")
        elif stream.tier == 1 and (lost := run.lost_fields(stream.name)):
            found.append(words_of_loss(stream.name, lost))
    return "; ".join(found)


glance = or_by_last_run(by_checks(CHECKS), _hollow)
