"""What warns in the last audit and was neither accepted nor dismissed by then; journals that it missed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.contracts.status import Answer, Verdict
from pipeline.reading.check_report import AUDIT, CheckReport
from pipeline.reading.facts import Facts
from runbook.symptoms.by_report import as_old
from runbook.symptoms.s2_drift import JOURNALS


def glance(facts: Facts) -> Answer:
    report = facts.audit
    rows = report.raw.get("drift") if report is not None else None
    if (unread := facts.cannot_read(AUDIT)) is not None:
        return unread
    if report is None:
        said = "no audit has run yet"
        return Answer(Verdict.UNKNOWN, said, None, AUDIT, nothing_yet=True)
    if not isinstance(rows, list):
        said = "the last audit has no drift table"
        return with_journals(Answer(Verdict.UNKNOWN, said, report.finished_at, AUDIT), report)
    moved = answer_of([row for row in rows if is_flagged(row)], report.finished_at, AUDIT)
    return with_journals(as_old(moved, facts), report)


def with_journals(answer: Answer, report: CheckReport) -> Answer:
    """``answer`` with what the report's check of the journals says. One of an older engine has none."""
    check = report.checks.get(JOURNALS)
    if check is not None and check.is_red:
        return and_broken(answer, check.example_lines or (check.detail,), check.failed or 1)
    if check is not None and check.is_blind and answer.verdict is Verdict.CLEAR:
        said = f"{JOURNALS} {check.status}: {check.detail}"
        return Answer(Verdict.UNKNOWN, said, check.as_of, check.source)
    return answer


def and_broken(answer: Answer, told: Sequence[str], count: int) -> Answer:
    """``answer`` where ``count`` journals are not as audits read them; ``told`` are the first of them."""
    more = f" and {count - 1} more" if count > 1 else ""
    words = f"{told[0]}{more}"
    if answer.is_detected:
        words = f"{words}; {answer.observed}"
    return Answer(Verdict.DETECTED, words, answer.as_of, answer.source)


def is_flagged(row: object) -> bool:
    """Whether a row of the drift table warns, and nobody has dismissed it."""
    if not isinstance(row, dict) or not isinstance(row.get("metric"), str):
        return False
    return row.get("status") in ("warn", "missing") and row.get("dismissed") is None


def answer_of(flagged: Sequence[Mapping[str, Any]], as_of: float | None, source: str) -> Answer:
    if not flagged:
        return Answer(Verdict.CLEAR, "every warning is decided", as_of, source)
    names = ", ".join(str(row["metric"]) for row in flagged[:3])
    more = f" and {len(flagged) - 3} more" if len(flagged) > 3 else ""
    return Answer(Verdict.DETECTED, f"{names}{more} moved", as_of, source)
