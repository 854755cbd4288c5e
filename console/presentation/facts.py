"""A name in a column of its own, and the text wrapped beside it."""

from __future__ import annotations

from console.presentation.spans import Line, Role, Span, cut_text, fit_text, line, line_width, wrap_text
from pipeline.contracts.untrusted import visible

LABEL = 10
_MOST = 2000


def fact_lines(name: str, text: str, width: int, role: Role = "text") -> list[Line]:
    return wrapped(label(name), text, width, role)


def label(name: str, role: Role = "dim") -> Line:
    """The name in its column, and at least one cell of air behind it."""
    return line(Span(f" {fit_text(cut_text(visible(name), LABEL - 1), LABEL)}", role))


def wrapped(lead: Line, text: str, width: int, role: Role = "text") -> list[Line]:
    """``lead`` and the text beside it."""
    indent = " " * line_width(lead)
    first, *rest = wrap_text(visible(text, _MOST), max(16, width - line_width(lead) - 1))
    return [line(*lead, Span(first, role)), *(line(indent, Span(part, role)) for part in rest)]
