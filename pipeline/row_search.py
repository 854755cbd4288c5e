"""Find rows in the workspace's own JSONL files by what they hold, without parsing every line.

Files are read in blocks of whole lines. Only a line that holds the bytes looked for is parsed,
and the parsed row decides: the bytes may stand in a text, and another writer may have put
spaces where the engine puts none.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import orjson

from pipeline.contracts.faults import InputError
from pipeline.platform import disk, disk_faults

_BLOCK_BYTES = 4 * 2**20


@dataclass(frozen=True, slots=True)
class FoundRow:
    """A row and where it stands. ``length`` is in bytes, without the newline."""

    file: str
    line: int
    byte_offset: int
    length: int
    row: dict[str, Any]

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"


def find_rows(
    workspace: Path, relative: PurePosixPath, needle: bytes, is_wanted: Callable[[dict[str, Any]], bool]
) -> Iterator[FoundRow]:
    """Each row whose line holds ``needle`` and that ``is_wanted``, in file order.

    No such file has no rows; a line that is not an object is passed over. Raises InputError
    when the file cannot be read.
    """
    for line, offset, raw in _lines_with(workspace, relative, needle):
        row = _parsed(raw)
        if row is not None and is_wanted(row):
            yield FoundRow(str(relative), line, offset, len(raw), row)


def find_by(workspace: Path, relative: PurePosixPath, name: str, value: str) -> Iterator[FoundRow]:
    """Each row whose member ``name`` is ``value``. Raises TypeError for text that is not Unicode."""
    return find_rows(workspace, relative, orjson.dumps(value), lambda row: row.get(name) == value)


def row_at(workspace: Path, relative: PurePosixPath, line: int) -> FoundRow | None:
    """The row on that line, counted from 1; None when there is none, or it is not an object."""
    if line < 1:
        return None
    before = 0
    for offset, block in _blocks(workspace, relative):
        lines = block.count(b"\n") + (not block.endswith(b"\n"))
        if line > before + lines:
            before += lines
            continue
        start = 0
        for _ in range(line - before - 1):
            start = block.index(b"\n", start) + 1
        raw = block[start : _line_end(block, start)]
        row = _parsed(raw)
        return None if row is None else FoundRow(str(relative), line, offset + start, len(raw), row)
    return None


def _lines_with(workspace: Path, relative: PurePosixPath, needle: bytes) -> Iterator[tuple[int, int, bytes]]:
    before = 0
    for offset, block in _blocks(workspace, relative):
        at = block.find(needle)
        while at >= 0:
            start = block.rfind(b"\n", 0, at) + 1
            end = _line_end(block, at)
            yield before + block.count(b"\n", 0, start) + 1, offset + start, block[start:end]
            at = block.find(needle, end)
        before += block.count(b"\n")


def _line_end(block: bytes, start: int) -> int:
    end = block.find(b"\n", start)
    return len(block) if end < 0 else end


def _blocks(workspace: Path, relative: PurePosixPath) -> Iterator[tuple[int, bytes]]:
    """Offset and bytes of pieces that end at line ends, the last one perhaps at the file's end."""
    try:
        with disk.open_to_read(workspace / relative) as file:
            yield from _whole_lines(file, workspace / relative)
    except FileNotFoundError:
        return
    except OSError as error:
        raise InputError.of(
            code="rows_unreadable",
            what_happened=f"{relative} cannot be read: {error.strerror}.",
            kept_safe="Nothing was changed.",
            do_next=f"Make it readable: ls -l {workspace / relative}",
            file=str(relative),
        ) from error


def _whole_lines(file: BinaryIO, path: Path) -> Iterator[tuple[int, bytes]]:
    offset = 0
    kept: list[bytes] = []
    while piece := file.read(_BLOCK_BYTES):
        cut = piece.rfind(b"\n") + 1
        if cut == 0:
            kept.append(piece)
            if len(kept) * _BLOCK_BYTES > disk.MOST_LINE_BYTES:
                said = f"the line at byte {offset:,} is over {disk.MOST_LINE_BYTES // 2**20} MiB"
                raise disk_faults.TooLargeError(errno.EFBIG, said, str(path))
            continue
        block = b"".join((*kept, piece[:cut]))
        kept = [piece[cut:]]
        yield offset, block
        offset += len(block)
    if rest := b"".join(kept):
        yield offset, rest


def _parsed(raw: bytes) -> dict[str, Any] | None:
    try:
        row = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return row if isinstance(row, dict) else None
