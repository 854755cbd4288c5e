"""What the last run said, for a console that was opened after its end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from console.state.event_words import entries_of
from console.state.view_state import LOG_LIMIT, LogEntry
from pipeline.contracts import paths
from pipeline.platform.lenient_json import read_tail, rows

if TYPE_CHECKING:
    from pipeline.contracts.status import RunRow

_TAIL_BYTES = 512 * 1024


def past_log(root: Path, runs: Sequence[RunRow]) -> tuple[LogEntry, ...]:
    """The newest run's lines, oldest first; its last ones where there are many. Blocks for milliseconds."""
    if not runs:
        return ()
    data = read_tail(root / paths.events_file(runs[0].pipeline_run_id), _TAIL_BYTES)
    if not isinstance(data, bytes):
        return ()
    return tuple(entries_of(rows(data.split(b"\n"))))[-LOG_LIMIT:]
