"""The audit's drift table, and when the baseline follows it.

The first passing audit seeds the baseline; a later one appends its metrics when nothing warns.
With warnings the baseline stays until the operator accepts or dismisses.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from pipeline.audit.full import Audit
from pipeline.contracts import events, paths
from pipeline.contracts.faults import InputError
from pipeline.contracts.plurals import plural
from pipeline.drift.baselines import Baselines, read_baselines
from pipeline.drift.baselines import append as append_baseline
from pipeline.drift.compare import compare
from pipeline.drift.decisions import baseline_row
from pipeline.drift.measure import measure
from pipeline.engine.clock import now_iso
from pipeline.engine.event_writer import EventWriter
from pipeline.platform.lenient_json import object_in, objects_of, text_of

# What makes two rows of audits the same: neither their kind nor when they were written.
_SAME = ("pipeline_run_id", "run_hash", "metrics", "denominators", "breakdown")


def add_drift(audit: Audit, writer: EventWriter, *, append: bool) -> None:
    """Measure, compare, tell; append to the baselines where that is due. Raises StorageError."""
    workspace, settings = audit.view.workspace, audit.view.settings
    audit.drift_thresholds = {"warn_pct": settings.drift.warn_pct, "min_z": settings.drift.min_z}
    try:
        metrics = measure(workspace, settings)
        baselines = read_baselines(workspace)
    except InputError as error:
        audit.blind = dataclasses.replace(
            error.fault,
            what_happened=f"Drift was not measured: {error.fault.what_happened}",
            kept_safe="The checks ran; the baseline was not moved.",
            do_next="Check the file and its permissions, then: distill audit-full",
        )
        audit.notes.append(audit.blind.what_happened)
        return
    now = now_iso()
    rows = compare(metrics, baselines, settings.drift, warned_since(workspace))
    flagged = {row.metric for row in rows if row.warns}
    audit.drift = [
        row.model_copy(update={"since": now}) if row.metric in flagged and row.since is None else row
        for row in rows
    ]
    for row in audit.drift:
        writer.emit(events.DriftReported, row=row)
    audit.notes += baselines.problems
    if words := _broken_baselines(audit):
        audit.notes.append(f"the baseline was not moved: {words}")
    elif not audit.passed:
        audit.notes.append("the baseline was not moved: a required check did not pass")
    elif flagged:
        audit.notes.append(
            f"the baseline was not moved: {plural(len(flagged), 'metric')} to accept or dismiss"
        )
    elif not append:
        audit.notes.append("the baseline was not moved: --no-append")
    else:
        kind = "seed" if baselines.is_empty else "passed"
        new = baseline_row(workspace, metrics, kind)
        if (digest := _left_behind(workspace, baselines, new)) is not None:
            audit.baseline_row = digest
            audit.notes.append("the baseline follows this audit: one that was cut off had written its row")
            return
        audit.baseline_row = append_baseline(workspace, new)
        audit.notes.append(
            "this audit seeded the baseline" if kind == "seed" else "the baseline follows this audit"
        )


def _left_behind(workspace: Path, baselines: Baselines, row: dict[str, Any]) -> str | None:
    """The digest of the last line where an audit of the same run wrote it, with the same values, and did not
    live to report; None where there is no such line.
    """
    if not baselines.rows:
        return None
    last = baselines.rows[-1]
    is_same = last.get("kind") in ("seed", "passed") and all(last.get(name) == row[name] for name in _SAME)
    report = object_in(workspace / paths.AUDIT_DATA) or {}
    # A report from before rows were named in it speaks for the last one.
    if not is_same or (report and "baseline_row" not in report):
        return None
    digest = str(last["line_sha256"])
    return None if report.get("baseline_row") == digest else digest


def _broken_baselines(audit: Audit) -> str:
    """Why the journal of baselines cannot be gone on from; empty where it can."""
    guarded = (str(paths.AUDIT_BASELINES), str(paths.JOURNAL_MEMORY))
    try:
        broken = audit.view.broken_journals
    except OSError as error:
        return f"the journals cannot be read: {error.strerror}"
    return "; ".join(f"{name} {broken[name]}" for name in guarded if name in broken)


def warned_since(workspace: Path) -> dict[str, str]:
    """Since when each metric has warned, from the report before this one."""
    report = object_in(workspace / paths.AUDIT_DATA)
    return {
        metric: since
        for row in objects_of(report, "drift")
        if row.get("status") in ("warn", "missing")
        and (metric := text_of(row, "metric"))
        and (since := text_of(row, "since"))
    }
