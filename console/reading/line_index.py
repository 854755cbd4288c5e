"""Line numbers of a large file: how many lines end before each step, and nothing else.

Eight bytes for each mebibyte, so ten million rows of 200 bytes cost 16 kB. ``extend`` runs in a
thread and may be asked for numbers meanwhile: what is not counted yet is not known yet.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from threading import Event

from console.reading.row_file import RowFile

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
