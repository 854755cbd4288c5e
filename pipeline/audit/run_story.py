"""What the summary, the receipts and the run's own events say of one run: do they agree?

These members stand in several files and follow from no row, so the files are held against each
other: a byte that was changed in one of them shows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.contracts import events, paths
from pipeline.engine.receipts import encode
from pipeline.platform import disk

_SAME_IN_RECEIPTS = ("git", "engine", "settings_digest", "recorded_at")


def story_problems(
    workspace: Path, summary: Mapping[str, Any], receipts: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    """One sentence a disagreement. Events that are missing or cut say nothing: they may be pruned."""
    for stage, receipt in receipts.items():
        if receipt["carried_from"] is None:
            for name in _SAME_IN_RECEIPTS:
                if receipt[name] != summary[name]:
                    yield f"{name} is not that of the receipt of {stage}"
    started, finished, warnings = _told(workspace, str(summary["pipeline_run_id"]))
    if started is not None:
        told = (started.pipeline_run_id, started.command, started.workers)
        if told != (summary["pipeline_run_id"], summary["command"], summary["workers"]):
            yield "run, command or workers are not those of the run's first event"
    if finished is not None:
        told_end = (finished.ok, finished.exit_code, finished.run_hash, finished.elapsed_seconds)
        if told_end != tuple(summary[name] for name in ("ok", "exit_code", "run_hash", "elapsed_seconds")):
            yield "ok, exit_code, run_hash or elapsed_seconds are not those of the run's last event"
        if warnings != list(summary["warnings"]):
            yield "the warnings are not those of the run's events"
        pinned = finished.summary_sha256
        if pinned is not None and pinned != hashlib.sha256(encode(summary)).hexdigest():
            yield "is not the summary whose digest the run's last event holds"


def _told(
    workspace: Path, pipeline_run_id: str
) -> tuple[events.RunStarted | None, events.RunFinished | None, list[str]]:
    started: events.RunStarted | None = None
    finished: events.RunFinished | None = None
    warnings: list[str] = []
    try:
        lines = disk.read_plain(workspace / paths.events_file(pipeline_run_id)).splitlines()
    except FileNotFoundError:
        return None, None, []
    for line in lines:
        try:
            event = events.decode(line)
        except ValueError:
            continue
        if isinstance(event, events.RunStarted):
            started = event
        elif isinstance(event, events.RunFinished):
            finished = event
        elif isinstance(event, events.LogLine) and event.level == "warning":
            warnings.append(event.message)
    return started, finished, warnings
