"""Read reports leniently: bounded, regular files only, and garbage is a note, never an error.

Everything under a workspace may be half written, damaged or hostile. A reader gets a value or
None, and the reason lands in ``Notes``. The typed getters answer None for a member that is
missing or of another type, so that no caller has to trust a shape.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import orjson

from pipeline.contracts.untrusted import visible

MAX_REPORT_BYTES = 16 * 1024 * 1024
NOTES_LIMIT = 50

Json = Mapping[str, Any]


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

    def cannot_read(self, relative: PurePosixPath, error: Exception | str) -> None:
        reason = error if isinstance(error, str) else _reason(error)
        self.add(f"{relative} cannot be read: {reason}")
        self.unreadable[str(relative)] = reason
        if isinstance(error, OSError):
            self.out_of_reach.add(str(relative))


def read_bytes(path: Path, limit: int = MAX_REPORT_BYTES) -> bytes | None:
    """The whole file; None when it is missing. Raises OSError, ValueError for what is no plain file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise ValueError("not a regular file")
        if found.st_size > limit:
            raise ValueError(f"{found.st_size:,} bytes is more than a report may have ({limit:,})")
        return file.read(limit + 1)[:limit]


def read_object(root: Path, relative: PurePosixPath, notes: Notes) -> Json | None:
    """The JSON object in a report; None when it is missing or unreadable (the latter is noted)."""
    try:
        data = read_bytes(root / relative)
        if data is None:
            return None
        value = orjson.loads(data)
    except (OSError, ValueError) as error:
        notes.cannot_read(relative, error)
        return None
    if not isinstance(value, dict):
        notes.cannot_read(relative, "it is not a JSON object")
        return None
    return value


def last_objects(root: Path, relative: PurePosixPath, tail_bytes: int, notes: Notes) -> list[Json]:
    """The JSON objects in the last ``tail_bytes`` of a journal, oldest first; torn lines left out."""
    try:
        descriptor = os.open(root / relative, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return []
    except OSError as error:
        notes.cannot_read(relative, error)
        return []
    with os.fdopen(descriptor, "rb"):
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            notes.cannot_read(relative, "not a regular file")
            return []
        start = max(0, found.st_size - tail_bytes)
        data = os.pread(descriptor, tail_bytes, start)
    lines = data.split(b"\n")
    objects: list[Json] = []
    for line in lines[1 if start else 0 :]:
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(value, dict):
            objects.append(value)
    return objects


def inside(relative: object) -> PurePosixPath | None:
    """A path from a report that stays in the workspace; None for any other value."""
    if not isinstance(relative, str) or not relative or "\0" in relative:
        return None
    path = PurePosixPath(relative)
    return None if path.is_absolute() or ".." in path.parts else path


def text_of(value: object, key: str) -> str | None:
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, str) else None


def count_of(value: object, key: str) -> int | None:
    """A whole number, at least 0."""
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else None


def number_of(value: object, key: str) -> float | None:
    found = value.get(key) if isinstance(value, Mapping) else None
    return float(found) if isinstance(found, (int, float)) and not isinstance(found, bool) else None


def flag_of(value: object, key: str) -> bool | None:
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, bool) else None


def object_of(value: object, key: str) -> Json:
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, dict) else {}


def objects_of(value: object, key: str) -> list[Json]:
    """The objects of a list; members of other types are left out."""
    found = value.get(key) if isinstance(value, Mapping) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def texts_of(value: object, key: str) -> tuple[str, ...]:
    found = value.get(key) if isinstance(value, Mapping) else None
    return tuple(item for item in found if isinstance(item, str)) if isinstance(found, list) else ()


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return os.strerror(error.errno) if error.errno else str(error)
    return str(error)
