"""Bytes of a file that may still grow, to whole lines with their offsets. No I/O here."""

from __future__ import annotations

from typing import NamedTuple

MAX_LINE_BYTES = 16 * 1024 * 1024


class Batch(NamedTuple):
    """Lines that became whole, without their line ends; ``too_long`` are (line, offset)."""

    lines: list[bytes]
    first_line: int
    first_offset: int
    too_long: list[tuple[int, int]]


class LineFeed:
    """Cuts what it is fed at ``\\n`` and keeps the rest for the next time.

    A line over MAX_LINE_BYTES is reported once and passed over without being kept.
    """

    def __init__(self) -> None:
        self.line = 1
        self.offset = 0
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._passing_over = False

    @property
    def rest(self) -> bytes:
        """The unterminated last line, empty when there is none (or it is being passed over)."""
        if len(self._held) > 1:
            self._held = [b"".join(self._held)]
        return self._held[0] if self._held else b""

    def feed(self, data: bytes) -> Batch:
        too_long: list[tuple[int, int]] = []
        cut = data.rfind(b"\n")
        if self._passing_over:
            start = data.find(b"\n") + 1
            if not start:
                self.offset += len(data)
                return Batch([], self.line, self.offset, too_long)
            self.offset += start
            self.line += 1
            self._passing_over = False
            data = data[start:]
            cut -= start
        if cut < 0:
            self._hold(data, too_long)
            return Batch([], self.line, self.offset, too_long)
        lines = (b"".join((*self._held, data[:cut]))).split(b"\n")
        first_line, first_offset = self.line, self.offset
        self._held, self._held_bytes = [], 0
        if len(lines[0]) > MAX_LINE_BYTES:
            too_long.append((first_line, first_offset))
            first_offset += len(lines.pop(0)) + 1
            first_line += 1
        self.line = first_line + len(lines)
        self.offset = first_offset + sum(map(len, lines)) + len(lines)
        self._hold(data[cut + 1 :], too_long)
        return Batch(lines, first_line, first_offset, too_long)

    def _hold(self, data: bytes, too_long: list[tuple[int, int]]) -> None:
        if not data:
            return
        self._held.append(data)
        self._held_bytes += len(data)
        if self._held_bytes > MAX_LINE_BYTES:
            too_long.append((self.line, self.offset))
            self.offset += self._held_bytes
            self._held, self._held_bytes = [], 0
            self._passing_over = True
