"""A fault as lines: what happened, what was kept safe, what to do next; longer ones wrapped, none cut."""

from __future__ import annotations

from console.presentation.lines import wrapped
from console.presentation.spans import Line, Span, line
from pipeline.contracts.faults import Fault

_LABEL = 15


def fault_lines(fault: Fault, width: int) -> list[Line]:
    lines: list[Line] = []
    for text in fault.as_lines():
        lines += wrapped(line(" ", Span(text[:_LABEL], "dim")), text[_LABEL:], width - 1)
    return lines
