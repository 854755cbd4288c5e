"""The drift table as the last audit wrote it; without one, a sentence that says so."""

from __future__ import annotations

from pathlib import Path

from console.reading.phase_verdicts import report_time
from console.state.drift_lines import cause_in_words, flagged_first
from pipeline.contracts import paths
from pipeline.contracts.status import DriftLine, DriftStatus, Origin
from pipeline.platform.lenient_json import Json, number_of, objects_of, text_of
from pipeline.reading import staleness
from pipeline.reading.report_files import Notes, last_objects

BASELINE_TAIL_BYTES = 256 * 1024
TREND_LIMIT = 40


def read_drift(
    root: Path, audit: Json | None, source: str, now: float, changed: str, notes: Notes
) -> DriftStatus:
    """Rows of the audit's report, flagged ones first, beside the age of the baseline."""
    baselines = last_objects(root, paths.AUDIT_BASELINES, BASELINE_TAIL_BYTES, notes)
    baseline_as_of = report_time(baselines[-1]) if baselines else None
    if audit is None:
        why = notes.unreadable.get(source, "")
        no_audit = f"the last audit cannot be read: {why}" if why else "no audit yet"
        return DriftStatus(
            Origin(why=why),
            baseline_as_of,
            note=f"{no_audit}: nothing was compared with a baseline. Make one: distill audit-full",
        )
    as_of = report_time(audit)
    freshness = staleness.of_verdict(as_of, now, inputs_changed=bool(changed))
    lines = tuple(_line(row) for row in objects_of(audit, "drift"))
    note = "" if lines else "the last audit compared nothing with a baseline"
    return DriftStatus(Origin(source, as_of, freshness, changed), baseline_as_of, flagged_first(lines), note)


def _line(row: Json) -> DriftLine:
    trend = row.get("trend")
    heights = trend if isinstance(trend, list) else []
    return DriftLine(
        metric=text_of(row, "metric") or "?",
        phase=text_of(row, "phase") or "",
        baseline=number_of(row, "baseline"),
        current=number_of(row, "current"),
        delta_ratio=number_of(row, "delta_ratio"),
        z=number_of(row, "z"),
        status=text_of(row, "status") or "?",
        trend=tuple(
            float(height)
            for height in heights[-TREND_LIMIT:]
            if isinstance(height, (int, float)) and not isinstance(height, bool)
        ),
        since=text_of(row, "since"),
        causes=tuple(cause_in_words(cause) for cause in objects_of(row, "causes")),
        kind=text_of(row, "kind") or "",
        anchor=number_of(row, "anchor"),
        anchor_delta_ratio=number_of(row, "anchor_delta_ratio"),
        dismissed=text_of(row, "dismissed"),
    )
