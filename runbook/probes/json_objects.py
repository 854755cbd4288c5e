"""JSON of unknown quality, read as objects: what is no object is left out, and never raises.

Reports, receipts and rows may be torn, edited or hostile; what that means is for whoever asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

MOST_BYTES = 64 * 2**20


def object_or_none(data: bytes | str) -> dict[str, Any] | None:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def object_of(data: bytes | str) -> dict[str, Any]:
    """Empty where ``data`` is no object."""
    return object_or_none(data) or {}


def read_object(path: Path, *, most_bytes: int = MOST_BYTES) -> dict[str, Any] | None:
    """The object in a file of a reasonable size; None for anything else, a missing file included."""
    try:
        if not path.is_file() or path.stat().st_size > most_bytes:
            return None
        return object_or_none(path.read_bytes())
    except OSError:
        return None


def objects(value: Mapping[str, Any], member: str) -> list[dict[str, Any]]:
    """The objects in a list that is a member of ``value``."""
    found = value.get(member)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def rows(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The objects among JSON lines; other lines are somebody else's finding."""
    for line in lines:
        if (row := object_or_none(line)) is not None:
            yield row
