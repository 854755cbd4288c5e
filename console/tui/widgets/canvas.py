"""The base of every widget here: lines of spans, and only changed cells are painted again.

Textual's own widgets lay out or repaint themselves whole on each update; over a slow link
that is what one would notice. A canvas compares the new lines with the old, cell by cell, and
asks for a repaint of just the columns that differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, zip_longest
from typing import ClassVar, Protocol, cast

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input

from console.presentation.spans import (
    EMPTY,
    Line,
    Role,
    changed_columns,
    clusters,
    cut,
    line,
    line_width,
    plain_text,
    to_ascii,
)


@dataclass(frozen=True)
class Drawing:
    """How one app draws: the ink of each role, and whether its terminal knows ASCII alone."""

    inks: Mapping[str, Style]
    ascii_only: bool = False


class DrawingApp(Protocol):
    """The app that canvases stand in. Two apps in one process draw each in its own way."""

    drawing: Drawing


class Canvas(Widget):
    """Shows exactly what ``show`` was given last, in the inks of the app's theme."""

    ALLOW_SELECT: ClassVar[bool] = False

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._lines: list[Line] = []

    @property
    def drawing(self) -> Drawing:
        return cast(DrawingApp, self.app).drawing

    @property
    def lines(self) -> tuple[Line, ...]:
        """What is shown, for tests and for copying."""
        return tuple(self._lines)

    def show(self, lines: Sequence[Line]) -> None:
        """Replace what is shown. Nothing is written when nothing differs."""
        shown = [to_ascii(spans) for spans in lines] if self.drawing.ascii_only else list(lines)
        before, self._lines = self._lines, shown
        changed = [
            Region(columns[0], y, columns[1] - columns[0], 1)
            for y, (old, new) in enumerate(zip_longest(before, shown, fillvalue=EMPTY))
            if old != new and (columns := changed_columns(_as_cells(old), _as_cells(new))) is not None
        ]
        if changed:
            self.refresh(*changed)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        base = self.visual_style.rich_style
        if y >= len(self._lines):
            return Strip.blank(width, base)
        inks = self.drawing.inks
        shown = cut(self._lines[y], width)  # no line ends unmarked at the edge
        shown = to_ascii(shown) if self.drawing.ascii_only else shown
        segments = [Segment(text, base + inks[role]) for role, text in _runs(shown)]
        return Strip(segments).adjust_cell_length(width, base)


def screen_text(screen: Screen[object]) -> str:
    """What is on the screen, line by line, as its canvases placed it."""
    rows = [""] * screen.size.height
    for canvas in sorted(screen.query(Canvas), key=lambda found: found.region.x):
        left, top = canvas.region.offset
        for y, spans in enumerate(canvas.lines[: canvas.region.height]):
            if 0 <= top + y < len(rows):
                rows[top + y] += " " * (left - line_width(line(rows[top + y]))) + plain_text(spans)
    return "\n".join(row.rstrip() for row in rows).rstrip()


def _runs(spans: Line) -> Iterator[tuple[Role, str]]:
    """The line as it is painted: one text for neighbours of the same role."""
    for role, same in groupby(spans, key=lambda span: span.role):
        yield role, "".join(span.text for span in same)


def _as_cells(spans: Line) -> list[str]:
    """One key a cell: what it shows, which half of it, and its role: a change of any is a change."""
    return [
        f"{half}{cluster}{role}"
        for role, text in _runs(spans)
        for cluster, cells in clusters(text)
        for half in range(cells)
    ]


def one_line(placeholder: str, name: str) -> Input:
    field = Input(placeholder=placeholder, id=name)
    field.cursor_blink = False
    return field
