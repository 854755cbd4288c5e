"""Where a source is cut: a chunk is a byte range of one file, cut at line ends.

The grid is fixed: the k-th cut is the first line end at or after ``k * chunk_bytes``, whatever
the number of workers. A line longer than a chunk extends it. No digest depends on the grid.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.contracts.faults import CHUNKS_KEPT, InputError
from pipeline.storage.archives import Ending, open_regular

_SEEK_BLOCK = 1 << 16


@dataclass(frozen=True)
class Chunk:
    """Bytes ``start`` to ``end`` of a file; ``first_line`` is 1-based. ``is_last`` ends the file."""

    start: int
    end: int
    first_line: int
    is_last: bool


def plan_chunks(
    path: Path,
    chunk_bytes: int,
    size: int,
    ending: Ending = Ending.OPEN,
    *,
    start: int = 0,
    first_line: int = 1,
) -> Iterator[Chunk]:
    """The chunks of the first ``size`` bytes of ``path``, in order; none for an empty file.

    With ``start`` those from there on, where a chunk of the same grid begins with line ``first_line``.

    An archive of which nothing can be used has one chunk without bytes, which says so.

    ``size`` is fixed by the caller at the start of a run: what a writer appends meanwhile
    belongs to the next run. Raises InputError when the file shrank or cannot be read.
    """
    if not size and ending.is_early:
        yield Chunk(0, 0, 1, is_last=True)
    with open_regular(path) as file:
        while start < size:
            target = min(size, (start // chunk_bytes + 1) * chunk_bytes)
            try:
                newlines, end = _count_and_cut(file.fileno(), path, start, target, size)
            except OSError as error:
                raise unreadable_source(path, error) from error
            yield Chunk(start, end, first_line, end == size)
            start, first_line = end, first_line + newlines


def _count_and_cut(descriptor: int, path: Path, start: int, target: int, size: int) -> tuple[int, int]:
    """Newlines in the chunk that begins at ``start``, and its end at or after ``target``."""
    data = read_range(descriptor, path, start, target)
    newlines = data.count(b"\n")
    if target == size or data.endswith(b"\n"):
        return newlines, target
    position = target
    while position < size:
        block = read_range(descriptor, path, position, min(size, position + _SEEK_BLOCK))
        at = block.find(b"\n")
        if at >= 0:
            return newlines + 1, position + at + 1
        position += len(block)
    return newlines, size


def read_range(descriptor: int, path: Path, start: int, end: int) -> bytes:
    """Exactly the bytes ``start`` to ``end``. Raises InputError when the file is shorter now."""
    pieces = []
    while start < end:
        piece = os.pread(descriptor, end - start, start)
        if not piece:
            raise InputError.of(
                code="source_shrank",
                what_happened=f"{path} became shorter while it was read: no byte at {start:,}.",
                kept_safe=CHUNKS_KEPT,
                do_next="Let the writer finish (rotate by rename, never truncate), then: distill run-all",
                file=str(path),
            )
        pieces.append(piece)
        start += len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def unreadable_source(path: Path, error: OSError) -> InputError:
    return InputError.of(
        code="source_unreadable",
        what_happened=f"{path} could not be read: {error.strerror or error}.",
        kept_safe=CHUNKS_KEPT,
        do_next="Check the file and its permissions, then: distill run-all",
        file=str(path),
    )
