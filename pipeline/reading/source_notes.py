"""What operators accepted about a source that has no rows: one JSON object a line, appended.

It lies beside the recon doc, which says what the sources are: git keeps both, so that a fresh
clone knows it too. Audit, runbook and console read it here, so that all three mean the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.contracts import paths
from pipeline.contracts.moments import epoch_seconds
from pipeline.platform.lenient_json import read_bytes, rows
from pipeline.reading.past_runs import committed_runs

_MOST_BYTES = 4 * 2**20
_RUNS_LOOKED_AT = 200


@dataclass(frozen=True, slots=True)
class SourceNote:
    """Why it is all right that ``stream`` has no rows. ``at`` is seconds since the epoch; raw text."""

    stream: str
    note: str
    by: str
    at: float

    @property
    def words(self) -> str:
        day = datetime.fromtimestamp(self.at, UTC).strftime("%Y-%m-%d")
        return f"accepted by {self.by} on {day}: {self.note}"


def note_line(stream: str, note: str, by: str, at: str) -> str:
    """One line of the file, without its line end. ``at`` is ISO 8601 in UTC."""
    row = {"schema_version": 1, "stream": stream, "note": note, "by": by, "at": at}
    return json.dumps(row, ensure_ascii=False)


def standing_note(root: Path, stream: str) -> SourceNote | None:
    """The last note on ``stream``; None once a run has read rows of it since.

    A line that cannot be read is passed over: it accepts nothing.
    """
    found = None
    for row in _rows(root):
        at = epoch_seconds(row.get("at"))
        if row.get("stream") == stream and isinstance(row.get("note"), str) and at is not None:
            found = SourceNote(stream, row["note"], str(row.get("by") or "somebody"), at)
    return None if found is None or _was_read_after(root, found) else found


def _rows(root: Path) -> Iterator[dict[str, Any]]:
    data = read_bytes(root / paths.SOURCE_NOTES, most_bytes=_MOST_BYTES)
    if isinstance(data, bytes):
        yield from rows(data.splitlines())


def _was_read_after(root: Path, note: SourceNote) -> bool:
    for run in committed_runs(root, _RUNS_LOOKED_AT):
        # A run that began before the note has not seen what the note is about.
        if (epoch_seconds(run.summary.get("started_at")) or 0.0) <= note.at:
            return False
        if run.counts_of(note.stream).get("lines"):
            return True
    return False
