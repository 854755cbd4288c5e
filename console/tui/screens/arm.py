"""Arming: who asks, for how long, and why. No reason, no arming."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import Input

from console.presentation.spans import EMPTY, Span, line
from console.tui.screens.base import bindings_for
from console.tui.screens.dialogue import Dialogue
from console.tui.widgets.canvas import Canvas


class ArmDialogue(Dialogue[str]):
    """Answers with the reason; an empty one means that nothing changes."""

    AUTO_FOCUS: ClassVar[str | None] = "#reason"
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("dialogue")

    def __init__(self) -> None:
        super().__init__()
        self._text = Canvas(id="why")
        self._reason = Input(placeholder="the reason, for the log; empty changes nothing", id="reason")
        self._reason.cursor_blink = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = "ARM THIS CONSOLE"
            yield self._text
            yield self._reason

    def draw(self) -> None:
        lines = [
            line(" For 15 minutes this console may start and cancel runs."),
            line(Span(" Each of them shows its plan and asks. a again disarms.", "dim")),
            EMPTY,
            line(Span(" Why?  enter arms, esc changes nothing", "dim")),
        ]
        self._text.styles.height = len(lines)
        self._text.show(lines)

    def on_resize(self) -> None:
        self.call_after_refresh(self.draw)

    @on(Input.Submitted)
    def _answered(self, message: Input.Submitted) -> None:
        self.dismiss(message.value.strip())

    def action_act(self, action_id: str) -> None:
        if action_id == "back":
            self.dismiss("")
