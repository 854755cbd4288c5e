"""What could not be done, in three lines that stay until they were read: no line of theirs is cut."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from console.presentation.edge_lines import key_line
from console.presentation.fault import fault_lines
from console.presentation.spans import EMPTY, Line
from console.tui.screens.base import bindings_for
from console.tui.screens.dialogue import Dialogue
from pipeline.contracts.faults import Fault


class FaultDialogue(Dialogue[None]):
    """Enter and escape close it."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_for("dialogue")
    heading = "NOT DONE"
    hints = ()

    def __init__(self, fault: Fault) -> None:
        super().__init__()
        self._fault = fault

    def told_lines(self, width: int) -> list[Line]:
        return fault_lines(self._fault, width)

    def body_lines(self, width: int) -> list[Line]:
        more = (("pgdn", "read on"),) if self.scrolls else ()
        return [EMPTY, key_line((*more, ("esc", "back")), width)]

    def action_act(self, action_id: str) -> None:
        if action_id in ("choose", "back"):
            self.dismiss(None)
        elif action_id in ("page_up", "page_down"):
            self.scroll_pages(1 if action_id == "page_down" else -1)
