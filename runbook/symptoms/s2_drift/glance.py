"""What warns in the last audit and was neither accepted nor dismissed by then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.contracts.status import Answer, Verdict
from pipeline.reading.check_report import AUDIT
from pipeline.reading.facts import Facts
from runbook.symptoms.by_report import as_old


def glance(facts: Facts) -> Answer:
    report = facts.audit
    rows = report.raw.get("drift") if report is not None else None
    if (unread := facts.cannot_read(AUDIT)) is not None:
        return unread
    if report is None:
        said = "there is no audit to read drift from"
        return Answer(Verdict.UNKNOWN, said, None, AUDIT, nothing_yet=True)
    if not isinstance(rows, list):
        return Answer(Verdict.UNKNOWN, "the last audit has no drift table", report.finished_at, AUDIT)
    return as_old(answer_of([row for row in rows if is_flagged(row)], report.finished_at, AUDIT), facts)


def is_flagged(row: object) -> bool:
    """Whether a row of the drift table warns, and nobody has dismissed it."""
    if not isinstance(row, dict) or not isinstance(row.get("metric"), str):
        return False
    return row.get("status") in ("warn", "missing") and row.get("dismissed") is None


def answer_of(flagged: Sequence[Mapping[str, Any]], as_of: float | None, source: str) -> Answer:
    if not flagged:
        return Answer(Verdict.CLEAR, "nothing warns that nobody decided about", as_of, source)
    names = ", ".join(str(row["metric"]) for row in flagged[:3])
    more = f" and {len(flagged) - 3} more" if len(flagged) > 3 else ""
    return Answer(Verdict.DETECTED, f"{names}{more} moved", as_of, source)
