"""The frame of a pane: its number and title, the age of what it shows, and its lines.

The frame is drawn as text rather than by the style sheet, because a breach takes over its
whole look, because the title carries an age, and because only changed cells go on the wire.
"""

from __future__ import annotations

from dataclasses import dataclass

from console.presentation.spans import EMPTY, Line, Role, Span, fit, line, line_width, spread


@dataclass(frozen=True)
class PaneView:
    """What a pane shows. ``aside`` stands at the right of the top edge; an ``alarm`` is heavy."""

    number: int
    title: str
    lines: tuple[Line, ...]
    aside: Line = EMPTY
    alarm: bool = False
    whole: int | None = None
    """How many lines would show all, where ``lines`` are only those that fit."""

    @property
    def wants(self) -> int:
        """The height at which nothing is hidden and nothing is blank, the frame included."""
        return (len(self.lines) if self.whole is None else self.whole) + 2


@dataclass(frozen=True)
class _Edges:
    top: tuple[str, str, str]
    side: str
    bottom: tuple[str, str, str]


_LIGHT = _Edges(("┌", "─", "┐"), "│", ("└", "─", "┘"))
_HEAVY = _Edges(("┏", "━", "┓"), "┃", ("┗", "━", "┛"))


def frame(
    view: PaneView, width: int, height: int, *, focused: bool = False, offset: int = 0, zoomed: bool = False
) -> list[Line]:
    """The pane in exactly ``height`` lines of ``width`` cells, scrolled down by ``offset`` lines.

    What does not fit is counted on the bottom edge. ``focused`` shows on the top edge alone, so
    that going from pane to pane repaints two lines rather than two panes.
    """
    if width < 4 or height < 2:
        return [fit(view.lines[0] if view.lines else EMPTY, width)] * min(height, 1)
    edges = _HEAVY if view.alarm else _LIGHT
    role: Role = "fail" if view.alarm else "border"
    rows = height - 2
    offset = max(0, min(offset, len(view.lines) - rows))
    shown = view.lines[offset : offset + rows]
    hidden = len(view.lines) - offset - len(shown)
    side = Span(edges.side, role)
    body = [(side, *fit(spans, width - 2), side) for spans in shown]
    body += [(side, Span(" " * (width - 2)), side)] * (rows - len(shown))
    return [
        _top(view, width, edges, focused),
        *body,
        _bottom(width, edges, role, hidden, offset, "pgdn" if zoomed else "z"),
    ]


def _top(view: PaneView, width: int, edges: _Edges, focused: bool) -> Line:
    role: Role = "fail" if view.alarm else ("accent" if focused else "border")
    left, rule, right = edges.top
    mark = Span("►" if focused else " ", "badge" if view.alarm else "cursor")
    title = Span(f"{view.number} {view.title} ", "badge" if view.alarm else "title")
    name = line(Span(left + rule, role), mark, title)
    aside = line(Span(" ", role), *view.aside, Span(" ", role)) if view.aside else EMPTY
    if line_width(name) + line_width(aside) + 3 > width:
        aside = EMPTY
    return spread(name, line(*aside, Span(rule + right, role)), width, Span(rule, role))


def _bottom(width: int, edges: _Edges, role: Role, hidden: int, offset: int, key: str) -> Line:
    left, rule, right = edges.bottom
    parts = []
    if offset:
        parts.append(f"↑ {offset}")
    if hidden > 0:
        parts.append(f"↓ {hidden} more: {key}")
    note = f" {'  '.join(parts)} " if parts else ""
    if len(note) + 4 > width:
        note = ""
    return spread(
        line(Span(left, role)), line(Span(note, "dim"), Span(rule + right, role)), width, Span(rule, role)
    )
