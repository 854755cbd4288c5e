"""A question of a wizard that is answered in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.presentation.spans import EMPTY, Line, Span, line, wrap_text
from console.tui.screens.typed_dialogue import Field, TypedDialogue
from pipeline.contracts.untrusted import visible

if TYPE_CHECKING:
    from runbook.symptom import Question


class WizardAnswer(TypedDialogue[str]):
    """Answers with the words; enter on an empty line asks again. Empty: not answered."""

    heading = "THE WIZARD ASKS"
    hints = (("enter", "answer"), ("esc", "back"))

    def __init__(self, question: Question) -> None:
        super().__init__((Field("answer"),), at=0)
        self._question = question
        self._wrong = ""

    def above(self, width: int) -> list[Line]:
        asked = wrap_text(visible(self._question.text), max(20, width - 2))
        lines = [line(" ", Span(part, "strong")) for part in asked]
        if self._question.help:
            more = wrap_text(visible(self._question.help, 300), max(20, width - 2))
            lines += [line(" ", Span(part, "dim")) for part in more]
        said = line(Span(" Before any change you see its plan.", "dim"), Span(f"  {self._wrong}", "fail"))
        return [*lines, EMPTY, said]

    def entered(self, field: Field) -> None:
        if answer := field.text.strip():
            self.dismiss(answer)
        else:
            self._wrong = "An answer is needed."

    def refused(self) -> None:
        self.dismiss("")
