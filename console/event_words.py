"""PURE: what events carry, as the types that panes show."""

from __future__ import annotations

from console.drift_lines import cause_in_words
from pipeline.contracts.checks import DriftRow
from pipeline.contracts.events import FirewallFinding, FirewallState
from pipeline.contracts.status import (
    DriftLine,
    Finding,
    FirewallStatus,
    FirewallWord,
    Freshness,
    Origin,
    epoch_seconds,
)


def firewall_status(event: FirewallState, heard_at: float) -> FirewallStatus:
    """What the watcher says, as the pane shows it. An unknown word of a newer engine is UNKNOWN.

    The age counts from when it was said, so that a backlog in a pipe does not read as news.
    """
    try:
        word = FirewallWord(event.state)
    except ValueError:
        word = FirewallWord.UNKNOWN
    said_at = epoch_seconds(event.at)
    return FirewallStatus(
        state=word,
        origin=Origin("live", heard_at if said_at is None else min(said_at, heard_at), Freshness.FRESH),
        file=event.file,
        rows_read=event.rows_read,
        rows_total=event.rows_total,
        findings_count=event.findings_count,
        by_wall=tuple(sorted(event.by_wall.items())),
        findings=tuple(_finding(found) for found in event.findings),
        since=epoch_seconds(event.since),
        detail=event.detail,
        cause=event.cause,
        sha256=event.sha256,
    )


def drift_line(row: DriftRow) -> DriftLine:
    """One drift row as shown; each cause becomes one line of text."""
    return DriftLine(
        metric=row.metric,
        phase=row.phase,
        baseline=row.baseline,
        current=row.current,
        delta_ratio=row.delta_ratio,
        z=row.z,
        status=str(row.status),
        trend=row.trend,
        since=row.since,
        causes=tuple(cause_in_words(cause) for cause in row.causes),
    )


def _finding(found: FirewallFinding) -> Finding:
    return Finding(found.wall, found.file, found.line, found.row_id, found.run_id, found.detail)
