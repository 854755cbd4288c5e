"""Read back the rows of written files, for the stages that start from them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from pipeline.contracts.faults import InputError
from pipeline.engine.chunks import unreadable_source
from pipeline.platform import disk

# tests/pipeline/engine/test_older_evidence.py holds it to the schema's.
EVIDENCE_VERSION = 2


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
        with disk.open_to_read(path) as file:
            offset = 0
            for number, line in enumerate(disk.lines_in(file, path), start=1):
                yield WrittenRow(without_stamp(line), number, offset)
                offset += len(line)
    except FileNotFoundError:
        return
    except OSError as error:
        raise unreadable_source(path, error) from error


def as_evidence(row: dict[str, Any]) -> dict[str, Any]:
    """A written row of P2 as the stages take it now, whatever version it was written at.

    Raises KeyError, TypeError or AttributeError for a row that is no evidence, IntegrityError for
    one that a later engine wrote.
    """
    version = row["schema_version"]
    if version == EVIDENCE_VERSION:
        return row
    if type(version) is not int or version < 1:
        raise KeyError("schema_version")
    # Not at the top: P3 scores the evidence of today while a schema is broken.
    from pipeline.schemas.migrations import upgrade

    return upgrade("evidence", row)


def no_rows_yet(what: str, path: Path, command: str) -> InputError:
    """The fault of a stage whose input an earlier stage has not written."""
    return InputError.of(
        code="input_missing",
        what_happened=f"There is no {what}: {path} is missing.",
        kept_safe="Nothing was changed.",
        do_next=f"Make it first: {command}",
        file=str(path),
    )
