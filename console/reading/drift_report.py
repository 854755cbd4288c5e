"""The drift table as the last audit wrote it; without one, a sentence that says so."""

from __future__ import annotations

from pathlib import Path

from console.reading.phase_verdicts import report_time
from console.state.drift_lines import drift_line, flagged_first
from pipeline.contracts import paths
from pipeline.contracts.status import DriftStatus, Origin
from pipeline.platform.lenient_json import Json, objects_of
from pipeline.reading import staleness
from pipeline.reading.report_files import Notes, last_objects

BASELINE_TAIL_BYTES = 256 * 1024


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
    lines = tuple(map(drift_line, objects_of(audit, "drift")))
    note = "" if lines else "the last audit compared nothing with a baseline"
    return DriftStatus(Origin(source, as_of, freshness, changed), baseline_as_of, flagged_first(lines), note)
