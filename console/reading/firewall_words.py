"""PURE: what the firewall says (an event or its ``--json`` report), as the pane shows it.

The two share their members. They are read leniently and without the event models, so that
``distill status`` starts fast and an alarm is never lost to a member that a newer firewall added.
"""

from __future__ import annotations

from pipeline.contracts.status import (
    Finding,
    FirewallStatus,
    FirewallWord,
    Freshness,
    Origin,
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
