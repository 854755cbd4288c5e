"""The lines that pages and lists share: headings, facts, bars, two columns, a difference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

from console.presentation.counts import bar_cells
from console.presentation.spans import (
    EMPTY,
    Line,
    Role,
    Span,
    cut,
    cut_text,
    fit,
    fit_text,
    line,
    line_width,
    spread,
    wrap_text,
)
from pipeline.contracts.untrusted import visible

LABEL = 10
WIDE_LABEL = 13
_MOST = 2000
_RULE = Span("━", "border")
Item = TypeVar("Item")


class Group(NamedTuple, Generic[Item]):
    """Items of a list under one heading."""

    title: str
    items: tuple[Item, ...]
    role: Role = "title"


def heading(title: str, width: int, role: Role = "title", right: Line = EMPTY) -> Line:
    """A title on a heavy rule, with what there is to know of it at the right."""
    left = line(_RULE, Span(f" {visible(title)} ", role))
    return spread(left, line(*right, _RULE), width, _RULE)


def column_heads(left: str, right: str, width: int) -> Line:
    return spread(line(Span(left, "dim")), line(Span(right, "dim")), width)


def fact_lines(name: str, text: str, width: int, role: Role = "text", size: int = LABEL) -> list[Line]:
    return wrapped(label(name, size=size), text, width, role)


def label(name: str, role: Role = "dim", size: int = LABEL) -> Line:
    """The name in its column, and at least one cell of air behind it."""
    return line(Span(f" {fit_text(cut_text(visible(name), size - 1), size)}", role))


def wrapped(lead: Line, text: str, width: int, role: Role = "text") -> list[Line]:
    """``lead`` and the text beside it."""
    indent = " " * line_width(lead)
    first, *rest = wrap_text(visible(text, _MOST), max(16, width - line_width(lead) - 1))
    return [line(*lead, Span(first, role)), *(line(indent, Span(part, role)) for part in rest)]


def bar(part: float, whole: float, width: int, marks: str = "▇░") -> tuple[Span, Span]:
    """So much of the whole, filled and groove."""
    filled = bar_cells(part, whole, width)
    return Span(marks[0] * filled, "accent"), Span(marks[1] * (width - filled), "groove")


def side_by_side(left: Sequence[Line], right: Sequence[Line], width: int, between: Span) -> list[Line]:
    """Two columns, the left one ``width`` cells wide; the shorter one is filled up."""
    rows = max(len(left), len(right))
    ones, twos = ([*lines, *[EMPTY] * (rows - len(lines))] for lines in (left, right))
    return [line(*fit(one, width), between, *two) for one, two in zip(ones, twos, strict=True)]


def difference_lines(difference: Sequence[str], width: int) -> list[Line]:
    """What changes is shown whole, on as many lines as it takes; what is around it is cut."""
    lines: list[Line] = []
    for text in difference:
        role = _role_of_difference(text)
        if role in ("ok", "fail"):
            first, *rest = wrap_text(text, max(16, width - 3))
            lines.append(line(Span(f" {first}", role)))
            lines += [line(Span(f"   {part}", role)) for part in rest]
        else:
            lines.append(cut(line(Span(f" {text}".rstrip(), role)), width - 1))
    return lines


def is_difference(texts: Sequence[str]) -> bool:
    return any(text.startswith("@@ ") for text in texts)


def _role_of_difference(text: str) -> Role:
    if text.startswith(("+++", "---", "@@")):
        return "accent"
    if text.startswith("+"):
        return "ok"
    if text.startswith("-"):
        return "fail"
    return "text" if not text.strip() or text.startswith(" ") else "dim"
