"""A question that is answered in words; and the consent to one plan: it starts on no, only words say yes.

A critical plan wants four digits that only this plan has, so that they cannot be a habit or have
been typed ahead; every plan wants a reason, for the record. Enter alone answers nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from console.presentation.spans import EMPTY, Line, Span, line, wrap_text
from console.presentation.wizard_plan import consent_lines
from console.tui.screens.typed_dialogue import Field, TypedDialogue
from pipeline.contracts.untrusted import visible

if TYPE_CHECKING:
    from console.control.wizard_view import WizardView
    from runbook.symptom import Question


class Agreed(NamedTuple):
    """``typed`` are the digits, or the plan's hash where none are asked for."""

    plan_hash: str
    typed: str
    reason: str


class WizardConsent(TypedDialogue[Agreed]):
    """``view`` has a plan. Down leads from "no" to the fields, enter on the last one agrees."""

    heading = "CONSENT"

    def __init__(self, view: WizardView) -> None:
        assert view.preview is not None  # noqa: S101 (the caller has looked)
        self._view = view
        self._plan = view.preview.plan
        self._wants_digits = view.is_critical or not self._plan.reversible
        self._digits = Field("yes: code", most=4)
        self._reason = Field("why" if self._wants_digits else "yes, because")
        self._wrong = ""
        fields = (self._digits, self._reason) if self._wants_digits else (self._reason,)
        super().__init__(fields, no="no, change nothing")

    def above(self, width: int) -> list[Line]:
        digits = self._plan.code if self._wants_digits else ""
        return consent_lines(self._view, self._plan, digits, self._wrong, width)

    def entered(self, field: Field) -> None:
        digits, reason = self._digits.text, self._reason.text.strip()
        self._wrong = ""
        if self._wants_digits and digits != self._plan.code:
            self._wrong = "These are not this plan's digits; nothing was changed." if digits else ""
            self._digits.text = ""
            self.go_to(0)
        elif field is self._digits:
            self.go_to(1)
        elif not reason:
            self._wrong = "Why? Without a reason nothing is changed."
        else:
            typed = digits if self._wants_digits else self._plan.hash
            self.dismiss(Agreed(self._plan.hash, typed, reason))

    def refused(self) -> None:
        self.dismiss(None)


class WizardAnswer(TypedDialogue[str]):
    """Answers with the words; an empty line answers nothing."""

    heading = "THE WIZARD ASKS"

    def __init__(self, question: Question) -> None:
        super().__init__((Field("answer"),), at=0)
        self._question = question

    def above(self, width: int) -> list[Line]:
        asked = wrap_text(visible(self._question.text), max(20, width - 2))
        lines = [line(" ", Span(part, "strong")) for part in asked]
        if self._question.help:
            more = wrap_text(visible(self._question.help, 300), max(20, width - 2))
            lines += [line(" ", Span(part, "dim")) for part in more]
        return [*lines, EMPTY, line(Span(" enter answers; a plan comes before any change. esc: no", "dim"))]

    def entered(self, field: Field) -> None:
        self.dismiss(field.text.strip())

    def refused(self) -> None:
        self.dismiss("")
