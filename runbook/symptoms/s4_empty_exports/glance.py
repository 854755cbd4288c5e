"""Whether the newest run that exported left an export empty, or was refused to."""

from __future__ import annotations

from pipeline.contracts.status import Answer, Verdict
from pipeline.reading.empty_exports import EmptyExport, find_empty_export
from pipeline.reading.facts import Facts


def glance(facts: Facts) -> Answer:
    if facts.latest.hidden:
        return Answer(Verdict.UNKNOWN, facts.latest.hidden, facts.now)
    return answer_of(find_empty_export(facts.root), facts.now)


def answer_of(found: EmptyExport | None, now: float) -> Answer:
    """No such run means no empty export."""
    if found is None:
        return Answer(Verdict.CLEAR, "no export came out empty", now)
    return Answer(Verdict.DETECTED, found.says, found.finished_at, found.source)
