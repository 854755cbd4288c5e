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
from pipeline.contracts.status import epoch_seconds

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
    path = root / paths.SOURCE_NOTES
    try:
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return
        lines = path.read_bytes().splitlines()
    except OSError:
        return
    for line in lines:
        row = _object(line)
        if row is not None:
            yield row


def _was_read_after(root: Path, note: SourceNote) -> bool:
    try:
        names = sorted((each.name for each in (root / paths.REPORTS).iterdir()), reverse=True)
    except OSError:
        return False
    for name in names[:_RUNS_LOOKED_AT]:
        try:
            summary = _object((root / paths.summary_file(name)).read_bytes())
        except OSError:
            continue
        if summary is None or summary.get("ok") is not True:
            continue
        # A run that began before the note has not seen what the note is about.
        if (epoch_seconds(summary.get("started_at")) or 0.0) <= note.at:
            return False
        streams = summary.get("streams")
        counts = streams.get(note.stream) if isinstance(streams, dict) else None
        if isinstance(counts, dict) and counts.get("lines"):
            return True
    return False


def _object(data: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
