"""Read back the rows of written files, for the stages that start from them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from pipeline.contracts.faults import Fault, InputError
from pipeline.engine.chunks import unreadable_source


class WrittenRow(NamedTuple):
    """``row`` is None when the line is no JSON object; ``line`` is 1-based."""

    row: dict[str, Any] | None
    line: int
    byte_offset: int


def without_stamp(line: bytes) -> dict[str, Any] | None:
    """A row as the stages made it, from its line in a file; None when it is no JSON object."""
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(row, dict):
        return None
    row.pop("recorded_at", None)
    return row


def written_rows(path: Path) -> Iterator[WrittenRow]:
    """Every line of a written file. Raises InputError when it cannot be read."""
    try:
        with path.open("rb") as file:
            offset = 0
            for number, line in enumerate(file, start=1):
                yield WrittenRow(without_stamp(line), number, offset)
                offset += len(line)
    except FileNotFoundError:
        return
    except OSError as error:
        raise unreadable_source(path, error) from error


def no_rows_yet(what: str, path: Path, command: str) -> InputError:
    """The fault of a stage whose input an earlier stage has not written."""
    return InputError(
        Fault(
            code="input_missing",
            what_happened=f"There is no {what}: {path} is missing.",
            kept_safe="Nothing was changed.",
            do_next=f"Make it first: {command}",
            file=str(path),
        )
    )
