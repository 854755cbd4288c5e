"""Reports of a workspace, read leniently: what cannot be read is a note, never an error."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from pipeline.contracts.untrusted import visible
from pipeline.platform import lenient_json
from pipeline.platform.lenient_json import Gone, Json, Refused, Unread

MAX_REPORT_BYTES = 16 * 1024 * 1024
NOTES_LIMIT = 50


@dataclass
class Notes:
    """Problems met while reading, each once, bounded.

    ``unreadable`` names the reports that are there and cannot be read, with the reason: what they
    say is not known, which is another thing than a report that was never written. Those that
    the system refused to give are ``out_of_reach`` too; the others are damaged.
    """

    lines: list[str] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)
    out_of_reach: set[str] = field(default_factory=set)

    def add(self, text: str) -> None:
        shown = visible(text, 300)
        if shown not in self.lines and len(self.lines) < NOTES_LIMIT:
            self.lines.append(shown)

    def cannot_read(self, relative: PurePosixPath, unread: Unread) -> None:
        """Note what is there and cannot be read; what is gone is no problem of reading."""
        if isinstance(unread, Gone):
            return
        self.says_nothing(relative, unread.why)
        if isinstance(unread, Refused):
            self.out_of_reach.add(str(relative))

    def says_nothing(self, relative: PurePosixPath, why: str) -> None:
        """Note a report that is there and tells nothing."""
        self.add(f"{relative} cannot be read: {why}")
        self.unreadable[str(relative)] = why


def read_object(root: Path, relative: PurePosixPath, notes: Notes) -> Json | None:
    """The JSON object in a report; None when it is missing or unreadable (the latter is noted)."""
    found = lenient_json.read_object(root / relative, most_bytes=MAX_REPORT_BYTES)
    if isinstance(found, dict):
        return found
    notes.cannot_read(relative, found)
    return None


def last_objects(root: Path, relative: PurePosixPath, tail_bytes: int, notes: Notes) -> list[Json]:
    """The JSON objects in the last ``tail_bytes`` of a journal, oldest first; torn lines left out."""
    data = lenient_json.read_tail(root / relative, tail_bytes)
    if isinstance(data, bytes):
        return list(lenient_json.rows(data.split(b"\n")))
    notes.cannot_read(relative, data)
    return []
