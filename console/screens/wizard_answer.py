"""A question of the wizard that is answered in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import Input

from console.presentation.spans import EMPTY, Span, line, wrap_text
from console.screens.base import bindings_for
from console.screens.dialogue import Dialogue
from console.widgets.canvas import Canvas
from pipeline.contracts.untrusted import visible

if TYPE_CHECKING:
    from runbook.symptom import Question


class WizardAnswer(Dialogue[str]):
    """Answers with the words; an empty line answers nothing."""

    AUTO_FOCUS: ClassVar[str | None] = "#answer"
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("dialogue")

    def __init__(self, question: Question) -> None:
        super().__init__()
        self._question = question
        self._text = Canvas(id="question")
        self._answer = Input(placeholder="empty answers nothing", id="answer")
        self._answer.cursor_blink = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = "THE WIZARD ASKS"
            yield self._text
            yield self._answer

    def on_resize(self) -> None:
        self.call_after_refresh(self.draw)

    def draw(self) -> None:
        width = max(20, (self._text.size.width or 60) - 2)
        lines = [line(" ", Span(part, "strong")) for part in wrap_text(visible(self._question.text), width)]
        if self._question.help:
            lines += [line(" ", Span(part, "dim")) for part in wrap_text(visible(self._question.help), width)]
        lines += [
            EMPTY,
            line(Span(" enter answers; a plan comes before any change. esc: no", "dim")),
        ]
        self._text.styles.height = len(lines)
        self._text.show(lines)

    @on(Input.Submitted)
    def _answered(self, message: Input.Submitted) -> None:
        self.dismiss(message.value.strip())

    def action_act(self, action_id: str) -> None:
        if action_id == "back":
            self.dismiss("")
