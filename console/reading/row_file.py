"""Rows of one JSONL file by byte offset, a page at a time: nothing is loaded that is not shown.

A row is named by the offset of its first byte. Reading a page costs the bytes of that page, wherever in the
file it lies. The file that was opened stays the one that is read, also when another is renamed over it.

Only a row's line number needs an index: how many lines end before each step, and nothing else. Eight bytes
for each mebibyte, so ten million rows of 200 bytes cost 16 kB. ``extend`` runs in a thread and may be asked
for numbers meanwhile: what is not counted yet is not known yet.
"""

from __future__ import annotations

import os
import stat
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Event
from typing import NamedTuple

BLOCK_BYTES = 256 * 1024
SCAN_BYTES = 1024 * 1024
HEAD_BYTES = 128 * 1024
# Longer than any line that the engine accepts; what has no end within it is shown in pieces.
LONGEST_ROW_BYTES = 32 * 1024 * 1024


class RawRow(NamedTuple):
    """``length`` without the line's end; ``head`` its first bytes. ``torn`` has no end of line."""

    offset: int
    length: int
    head: bytes
    torn: bool = False

    @property
    def end(self) -> int:
        """Where the next row begins."""
        return self.offset + self.length + (not self.torn)

    @property
    def is_whole(self) -> bool:
        return len(self.head) == self.length


class RowFile:
    """Raises OSError when it cannot be opened, ValueError when it is no regular file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        found = os.fstat(self._descriptor)
        if not stat.S_ISREG(found.st_mode):
            self.close()
            raise ValueError("not a regular file")
        self._identity = (found.st_dev, found.st_ino)
        self.size = found.st_size

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def refresh(self) -> bool:
        """Look at the size again; whether it differs."""
        size = os.fstat(self._descriptor).st_size
        differs, self.size = size != self.size, size
        return differs

    @property
    def is_replaced(self) -> bool:
        """Whether its name leads to another file now, or to none."""
        try:
            found = self.path.stat()
        except OSError:
            return True
        return (found.st_dev, found.st_ino) != self._identity

    def read(self, offset: int, length: int) -> bytes:
        return os.pread(self._descriptor, length, offset)

    # Pages

    def after(self, offset: int, count: int) -> list[RawRow]:
        """Up to ``count`` rows from the row that begins at ``offset`` on."""
        rows: list[RawRow] = []
        at = offset
        while len(rows) < count and at < self.size:
            block = self.read(at, BLOCK_BYTES)
            if not block:
                break
            start = 0
            while len(rows) < count and (end := block.find(b"\n", start)) >= 0:
                rows.append(RawRow(at + start, end - start, block[start : min(end, start + HEAD_BYTES)]))
                start = end + 1
            if start == 0:
                rows.append(self._long_row(at, block))
                at = rows[-1].end
            else:
                at += start
        return rows

    def before(self, offset: int, count: int) -> list[RawRow]:
        """Up to ``count`` rows that lie before ``offset``, which is a row's start or the file's end."""
        rows: list[RawRow] = []
        end = offset
        while len(rows) < count and end > 0:
            low = max(0, end - BLOCK_BYTES)
            block = self.read(low, end - low)
            torn = not block.endswith(b"\n")
            stop = high = len(block) if torn else len(block) - 1
            while len(rows) < count and (newline := block.rfind(b"\n", 0, high)) >= 0:
                rows.append(_row(low, newline + 1, high, block, torn=torn and high == stop))
                high = newline
            if len(rows) >= count:
                break
            if low == 0:
                rows.append(_row(0, 0, high, block, torn=torn and high == stop))
                break
            if high == stop:  # a row longer than the block
                start = self.row_start(low)
                length = low + stop - start
                rows.append(RawRow(start, length, self.read(start, min(HEAD_BYTES, length)), torn))
                end = start
            else:
                end = low + high + 1
        return rows[::-1]

    def last(self, count: int) -> list[RawRow]:
        return self.before(self.size, count)

    def row_at(self, offset: int) -> RawRow | None:
        """The row that the byte at ``offset`` belongs to; None past the end."""
        if not 0 <= offset < self.size:
            return None
        found = self.after(self.row_start(offset), 1)
        return found[0] if found else None

    def whole(self, row: RawRow) -> bytes:
        """All bytes of a row, but no more than the longest that the engine accepts."""
        return self.read(row.offset, min(row.length, LONGEST_ROW_BYTES))

    def row_start(self, offset: int) -> int:
        """The start of the row that the byte at ``offset`` belongs to."""
        end, floor = offset, max(0, offset - LONGEST_ROW_BYTES)
        while end > floor:
            low = max(floor, end - SCAN_BYTES)
            newline = self.read(low, end - low).rfind(b"\n")
            if newline >= 0:
                return low + newline + 1
            end = low
        return floor

    def _long_row(self, offset: int, block: bytes) -> RawRow:
        ceiling = min(self.size, offset + LONGEST_ROW_BYTES)
        at = offset + len(block)
        while at < ceiling:
            piece = self.read(at, min(SCAN_BYTES, ceiling - at))
            if not piece:
                break
            newline = piece.find(b"\n")
            if newline >= 0:
                return RawRow(offset, at + newline - offset, block[:HEAD_BYTES])
            at += len(piece)
        return RawRow(offset, at - offset, block[:HEAD_BYTES], torn=True)

    # Searching

    def find(
        self, needles: Sequence[bytes], offset: int, stop: Event, told: Callable[[int], None]
    ) -> int | None:
        """Where the first of ``needles`` stands at or after ``offset``; None without one, or stopped.

        ``told`` hears of each block how far the search is.
        """
        overlap = max(len(needle) for needle in needles) - 1
        for at, block in self._blocks(offset, overlap):
            found = [place for needle in needles if (place := block.find(needle)) >= 0]
            if found:
                return at + min(found)
            told(at)
            if stop.is_set():
                return None
        return None

    def _blocks(self, offset: int, overlap: int) -> Iterator[tuple[int, bytes]]:
        at = offset
        while at < self.size:
            block = self.read(at, SCAN_BYTES + overlap)
            if not block:
                return
            yield at, block
            at += SCAN_BYTES


def _row(low: int, start: int, end: int, block: bytes, *, torn: bool) -> RawRow:
    return RawRow(low + start, end - start, block[start : min(end, start + HEAD_BYTES)], torn)


def needles_for(text: str) -> tuple[bytes, ...]:
    """How a text may stand in JSON: as it is, and with its non-ASCII characters escaped."""
    import json

    plain = json.dumps(text, ensure_ascii=False)[1:-1].encode("utf-8", "surrogatepass")
    escaped = json.dumps(text)[1:-1].encode()
    raw = text.encode("utf-8", "surrogatepass")
    return tuple(dict.fromkeys((plain, escaped, raw)))


STEP_BYTES = 1024 * 1024


class LineIndex:
    def __init__(self, file: RowFile) -> None:
        self._file = file
        # _ends[n] is the number of line ends in the first n steps.
        self._ends = array("Q", [0])
        self.lines: int | None = None
        """All lines of the file, a torn last one included; None until they are counted."""

    @property
    def known_bytes(self) -> int:
        return (len(self._ends) - 1) * STEP_BYTES

    def extend(self, stop: Event) -> None:
        """Count on to the end of the file. Whole steps are kept; the rest is counted each time."""
        while not stop.is_set():
            at = self.known_bytes
            block = self._file.read(at, STEP_BYTES)
            ends = self._ends[-1] + block.count(b"\n")
            if len(block) < STEP_BYTES:
                torn = bool(block) and not block.endswith(b"\n")
                last = self._file.read(at - 1, 1) if at and not block else b"\n"
                self.lines = ends + torn + (last != b"\n")
                return
            self._ends.append(ends)

    def line_of(self, offset: int) -> int | None:
        """The number, from 1, of the line that begins at ``offset``; None where it is not counted yet."""
        step = offset // STEP_BYTES
        if step >= len(self._ends) or (self.lines is None and offset > self.known_bytes):
            return None
        rest = self._file.read(step * STEP_BYTES, offset - step * STEP_BYTES)
        return self._ends[step] + rest.count(b"\n") + 1

    def offset_of(self, line: int) -> int | None:
        """Where a line begins; None when it is not counted yet or the file has fewer."""
        if line < 1:
            return None
        wanted = line - 1  # so many line ends lie before it
        step = max(0, bisect_right(self._ends, wanted - 1) - 1) if wanted else 0
        block = self._file.read(step * STEP_BYTES, STEP_BYTES)
        at = 0
        for _ in range(wanted - self._ends[step]):
            at = block.find(b"\n", at) + 1
            if at == 0:
                return None
        found = step * STEP_BYTES + at
        return found if found < self._file.size else None
