"""Past runs as a screen lists them.

Apart from ``past_runs``, which an engine reads with each run: what a dashboard is made of is slow to import.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.contracts.moments import epoch_seconds
from pipeline.contracts.status import LockStatus, RunRow
from pipeline.platform.lenient_json import object_of, record_of
from pipeline.reading.past_runs import RunReports
from pipeline.reading.report_files import Notes


def run_rows(
    reports: RunReports, run_ids: Sequence[str], lock: LockStatus, notes: Notes
) -> tuple[RunRow, ...]:
    """One row a run, in the order of ``run_ids``; the summaries of other runs are forgotten."""
    reports.keep_only(set(run_ids))
    return tuple(_row(reports, run_id, lock, notes) for run_id in run_ids)


def _row(reports: RunReports, run_id: str, lock: LockStatus, notes: Notes) -> RunRow:
    summary = reports.summary(run_id, notes)
    if summary is None:
        if lock.held and lock.pipeline_run_id == run_id:
            return RunRow(run_id, command=lock.command, started=lock.since, note="running")
        note = "summary unreadable" if reports.has_summary(run_id) else "ended before its commit"
        return RunRow(run_id, started=_time_in(run_id), note=note)
    return record_of(
        RunRow,
        {**object_of(summary, "counts"), **summary},
        pipeline_run_id=run_id,
        finished=True,
        started=epoch_seconds(summary.get("started_at")),
        ended=epoch_seconds(summary.get("finished_at")),
        note="",
    )


def _time_in(run_id: str) -> float | None:
    """The start that a run's name tells: ``20261124T061407Z-3f2a``."""
    return epoch_seconds(run_id.split("-", 1)[0])
