"""PURE: what the firewall says (an event or its ``--json`` report), as the pane and its symptom show it.

The two share their members. They are read leniently and without the event models, so that
``distill status`` starts fast and an alarm is never lost to a member that a newer firewall added.
"""

from __future__ import annotations

from pipeline.contracts import paths
from pipeline.contracts.status import (
    Answer,
    Finding,
    FirewallStatus,
    FirewallWord,
    Freshness,
    Origin,
    Verdict,
    epoch_seconds,
)
from pipeline.platform.lenient_json import Json, count_of, object_of, objects_of, text_of

FINDINGS_SHOWN = 100


def firewall_status(said: Json, heard_at: float) -> FirewallStatus:
    """The status at ``heard_at``. A word that is not known is UNKNOWN.

    The age counts from when it was said, so that a backlog in a pipe does not read as news.
    """
    try:
        word = FirewallWord(text_of(said, "state") or "")
    except ValueError:
        word = FirewallWord.UNKNOWN
    said_at = epoch_seconds(said.get("at"))
    by_wall = object_of(said, "by_wall")
    return FirewallStatus(
        state=word,
        origin=Origin("live", heard_at if said_at is None else min(said_at, heard_at), Freshness.FRESH),
        file=text_of(said, "file") or "",
        rows_read=count_of(said, "rows_read") or 0,
        rows_total=count_of(said, "rows_total"),
        findings_count=count_of(said, "findings_count") or 0,
        by_wall=tuple(sorted((wall, count_of(by_wall, wall) or 0) for wall in map(str, by_wall))),
        findings=tuple(_finding(found) for found in objects_of(said, "findings")[:FINDINGS_SHOWN]),
        since=epoch_seconds(said.get("since")),
        detail=text_of(said, "detail") or "",
        cause=text_of(said, "cause"),
        sha256=text_of(said, "sha256"),
    )


def _finding(found: Json) -> Finding:
    return Finding(
        wall=text_of(found, "wall") or "?",
        file=text_of(found, "file") or "",
        line=count_of(found, "line") or 0,
        row_id=text_of(found, "row_id"),
        run_id=text_of(found, "run_id"),
        detail=text_of(found, "detail") or "",
    )


def leak_answer(firewall: FirewallStatus, now: float, *, ever_made: bool) -> Answer | None:
    """The firewall's word as the answer to its symptom; None for what a receipt of the past says.

    ``ever_made``: an export was made here once, so that there being none is worth a question.
    """
    origin = firewall.origin
    if firewall.state is FirewallWord.BREACH:
        return Answer(Verdict.DETECTED, leak_in_words(firewall), origin.as_of, since=firewall.since)
    if firewall.state is FirewallWord.CLEAR and origin.source == "live":
        said = f"CLEAR: {firewall.rows_read:,} rows of {paths.SFT_EXPORT}"
        return Answer(Verdict.CLEAR, said, origin.as_of)
    if firewall.state is FirewallWord.ABSENT:
        said = f"ABSENT: {firewall.detail or 'there is no such file'}"
        return Answer(Verdict.UNKNOWN, said, now, nothing_yet=not ever_made)
    if firewall.state is FirewallWord.UNKNOWN:
        return Answer(Verdict.UNKNOWN, f"UNKNOWN: {firewall.detail or origin.why or 'no answer'}", now)
    return None


def leak_in_words(firewall: FirewallStatus) -> str:
    """What an alarm is about; one whose counts were lost is still one."""
    count = firewall.findings_count
    findings = f"{count:,} finding{'' if count == 1 else 's'}" if count else "findings"
    return f"{findings} in {firewall.rows_read:,} rows of {paths.SFT_EXPORT}"
