"""What could not be done, in three lines that stay until they were read: no line of theirs is cut."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from console.presentation.edge_lines import key_line
from console.presentation.spans import EMPTY, Line, Span, line, wrap_text
from console.tui.screens.base import bindings_for
from console.tui.screens.dialogue import Dialogue
from pipeline.contracts.faults import Fault
from pipeline.contracts.untrusted import visible

_LABELS = ("what happened", "kept safe", "do next")
_INDENT = max(map(len, _LABELS)) + 3


class FaultDialogue(Dialogue[None]):
    """Enter and escape close it."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_for("dialogue")
    heading = "NOT DONE"

    def __init__(self, fault: Fault) -> None:
        super().__init__()
        self._texts = (fault.what_happened, fault.kept_safe, fault.do_next)

    def body_lines(self, width: int) -> list[Line]:
        lines: list[Line] = []
        for label, text in zip(_LABELS, self._texts, strict=True):
            for at, part in enumerate(wrap_text(visible(text), width - _INDENT - 1)):
                name = label if at == 0 else ""
                lines.append(line(Span(f" {name:<{_INDENT - 1}}", "dim"), part))
        return [*lines, EMPTY, key_line((("esc", "back"),), width)]

    def action_act(self, action_id: str) -> None:
        if action_id in ("choose", "back"):
            self.dismiss(None)
