"""Of a line that changed, only the cells from the first to the last that differ are written.

Textual cuts what it writes at the right end of the changed cells, and begins at the left edge of the widget:
a digit at the end of a line costs the line. Here a line begins at the first changed cell where nothing but
ASCII lies between it and what is measured as a whole, else at the beginning of its style.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.cells import cell_len
from rich.console import Console
from rich.control import Control
from rich.segment import Segment
from textual._compositor import ChopsUpdate
from textual.strip import Strip


class ChangedCells(ChopsUpdate):
    """What ``ChopsUpdate`` writes, without the cells left of what changed."""

    @classmethod
    def of(cls, update: ChopsUpdate) -> ChangedCells:
        return cls(update.chops, update.spans, update.chop_ends)

    def render_segments(self, console: Console) -> str:
        return "".join(
            Control.move_to(x, y).segment.text + strip.render(console)
            for y, left, right in self.spans
            for x, strip in _cut(self.chops[y], self.chop_ends[y], left, right)
        )


def _cut(
    chops: Mapping[int, Strip | None], ends: list[int], left: int, right: int
) -> Iterator[tuple[int, Strip]]:
    """The pieces of one line from ``left`` up to ``right``, each with the column where it stands."""
    for end, (x, strip) in zip(ends, chops.items(), strict=False):
        if strip is None or x >= right or end <= left:
            continue
        kept = strip if end <= right else up_to_column(strip, right - x)
        yield from_column(kept, left - x, x) if left > x else (x, kept)


def from_column(strip: Strip, column: int, x: int) -> tuple[int, Strip]:
    """``strip``, which stands at ``x``, from its ``column`` on or from a little before, and where that is."""
    segments, at = list(strip), 0
    for number, segment in enumerate(segments):
        if at + segment.cell_length > column:
            skipped = _place_of(segment.text, column - at) or 0
            first = Segment(segment.text[skipped:], segment.style, segment.control)
            return x + at + cell_len(segment.text[:skipped]), Strip([first, *segments[number + 1 :]])
        at += segment.cell_length
    return x, strip


def up_to_column(strip: Strip, column: int) -> Strip:
    """``strip`` as far as its ``column``, or a little further."""
    segments, at = list(strip), 0
    for number, segment in enumerate(segments):
        if at + segment.cell_length >= column:
            last = Segment(
                segment.text[: _place_of(segment.text, column - at)], segment.style, segment.control
            )
            return Strip([*segments[:number], last])
        at += segment.cell_length
    return strip


def _place_of(text: str, cells: int) -> int | None:
    """Before which character ``text`` takes ``cells``; None where that would have to be measured anew.

    A cut stands before ASCII alone: what is none may belong to the character before it.
    """
    if text.isascii():
        return cells
    head = next(place for place, character in enumerate(text) if not character.isascii())
    if cells < head:
        return cells
    tail = len(text)
    while text[tail - 1].isascii():
        tail -= 1
    before = cell_len(text[:tail])
    return tail + cells - before if before <= cells and tail < len(text) else None
