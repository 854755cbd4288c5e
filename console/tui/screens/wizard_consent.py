"""The consent to one plan: it starts on no, and only typed words say yes.

A critical plan wants four digits that only this plan has, so that they cannot be a habit or have
been typed ahead; every plan wants a reason, for the record. Enter alone answers nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from console.presentation.spans import Line
from console.presentation.wizard_plan import consent_lines
from console.tui.screens.typed import Field, TypedDialogue

if TYPE_CHECKING:
    from console.control.wizard_view import WizardView


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
