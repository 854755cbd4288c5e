"""Bytes of a file that may still grow, to blocks of whole lines with their offsets; and lines in bounds."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from functools import partial
from typing import IO, NamedTuple

MAX_LINE_BYTES = 16 * 1024 * 1024
# A line that has no end after so much is read no further, nor is what may follow it.
MOST_PASSED_OVER = 64 * 1024 * 1024


class Block(NamedTuple):
    """Whole lines, each with its line end; None stands for one line that is too long to be kept."""

    offset: int
    data: bytes | None

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Offset and bytes of each line, without its line end."""
        offset = self.offset
        for line in (self.data or b"").split(b"\n")[:-1]:
            yield offset, line
            offset += len(line) + 1


class LineFeed:
    """Cuts what it is fed after the last ``\\n`` and keeps the rest for the next time.

    A line over MAX_LINE_BYTES is reported once and passed over without being kept; ``is_endless`` says
    when its end should not be looked for any longer.
    """

    def __init__(self) -> None:
        self.offset = 0  # of the first byte of the rest
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._passing_over = False
        self._passed_over = 0  # bytes of the line that is being passed over

    @property
    def is_endless(self) -> bool:
        """Whether the line that is being passed over is so long that nobody should wait for its end."""
        return self._passing_over and self._passed_over > MOST_PASSED_OVER

    @property
    def rest(self) -> bytes:
        """The unterminated last line, empty when there is none (or it is being passed over)."""
        if len(self._held) > 1:
            self._held = [b"".join(self._held)]
        return self._held[0] if self._held else b""

    def feed(self, data: bytes) -> Iterator[Block]:
        """The blocks that ``data`` completes, in the order of the file."""
        if self._passing_over:
            start = data.find(b"\n") + 1
            if not start:
                self.offset += len(data)
                self._passed_over += len(data)
                return
            self.offset += start
            self._passing_over = False
            data = data[start:]
        cut = data.rfind(b"\n") + 1
        if cut:
            held, size, first = self._held, self._held_bytes, 0
            self._held, self._held_bytes = [], 0
            if held:
                first = data.find(b"\n") + 1
                if size + first > MAX_LINE_BYTES:
                    yield Block(self.offset, None)
                    self.offset += size + first
                    held = []
                else:
                    first = 0
            # Through a view: one copy of the block instead of two, a twentieth of the label wall's time.
            whole = b"".join((*held, memoryview(data)[first:cut]))
            if whole:
                yield Block(self.offset, whole)
                self.offset += len(whole)
        yield from self._hold(data[cut:])

    def _hold(self, data: bytes) -> Iterator[Block]:
        if not data:
            return
        self._held.append(data)
        self._held_bytes += len(data)
        if self._held_bytes > MAX_LINE_BYTES:
            yield Block(self.offset, None)
            self.offset += self._held_bytes
            self._passed_over = self._held_bytes
            self._held, self._held_bytes = [], 0
            self._passing_over = True


def bounded_lines(file: IO[bytes]) -> Iterator[bytes]:
    """The lines of an open file, each with its line end. Raises OSError for one over MOST_PASSED_OVER, as
    soon as so much of it was read, and what reading raises."""
    for number, line in enumerate(iter(partial(file.readline, MOST_PASSED_OVER + 1), b""), start=1):
        if len(line) > MOST_PASSED_OVER:
            raise OSError(errno.EFBIG, f"line {number:,} is over {MOST_PASSED_OVER // 2**20} MiB")
        yield line
