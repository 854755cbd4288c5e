"""The consent to one plan: it starts on no, and only typed words say yes.

A critical plan wants four digits that only this plan has, so that they cannot be a habit or have
been typed ahead; every plan wants a reason, for the record. Enter alone answers nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input

from console.presentation.spans import Line, Span, line
from console.presentation.wizard_plan import consent_lines
from console.screens.base import bindings_for
from console.screens.dialogue import Dialogue
from console.widgets.canvas import Canvas

if TYPE_CHECKING:
    from console.wizard_view import WizardView


class Agreed(NamedTuple):
    """``typed`` are the digits, or the plan's hash where none are asked for."""

    plan_hash: str
    typed: str
    reason: str


class WizardConsent(Dialogue[Agreed]):
    """``view`` has a plan. Down leads from "no" to the fields, enter on the last one agrees."""

    AUTO_FOCUS: ClassVar[str | None] = ""  # nothing: None would leave it to Textual, which takes a field
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("dialogue")

    def __init__(self, view: WizardView) -> None:
        super().__init__()
        assert view.preview is not None  # noqa: S101 (the caller has looked)
        self._view = view
        self._plan = view.preview.plan
        self._wants_digits = view.is_critical or not self._plan.reversible
        self._wrong = ""
        self._text = Canvas(id="plan")
        self._no = Canvas(id="no")
        self._digits = Input(id="digits", max_length=4)
        self._reason = Input(id="reason")
        self._fields = (self._digits, self._reason) if self._wants_digits else (self._reason,)
        self._labels = {field: Canvas(classes="label") for field in self._fields}
        for field in self._fields:
            field.cursor_blink = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = "CONSENT"
            yield self._text
            yield self._no
            for field in self._fields:
                yield Horizontal(self._labels[field], field, classes="field")

    def on_resize(self) -> None:
        self.call_after_refresh(self.draw)

    def draw(self) -> None:
        width = self._text.size.width or 60
        digits = self._plan.code if self._wants_digits else ""
        lines = consent_lines(self._view, self._plan, digits, self._wrong, width)
        self._text.styles.height = len(lines)
        self._text.show(lines)
        self._no.styles.height = 1
        on_no = not any(field.has_focus for field in self._fields)
        self._no.show([_choice("no, change nothing", on_no)])
        for field, label in self._labels.items():
            label.show([_choice("yes: code" if field is self._digits else "     why ", field.has_focus)])

    def on_descendant_focus(self) -> None:
        self.draw()

    def on_descendant_blur(self) -> None:
        self.draw()

    def action_act(self, action_id: str) -> None:
        match action_id:
            case "down":
                self._move(1)
            case "up":
                self._move(-1)
            case "back" | "choose":
                # Enter reaches this only from "no": a field keeps it.
                self.dismiss(None)
            case _:
                pass

    def _move(self, step: int) -> None:
        focused = next((at for at, field in enumerate(self._fields) if field.has_focus), -1)
        target = focused + step
        if target < 0:
            self.set_focus(None)
            self.draw()
        else:
            self._fields[min(target, len(self._fields) - 1)].focus()

    @on(Input.Submitted)
    def _submitted(self, message: Input.Submitted) -> None:
        digits, reason = self._digits.value.strip(), self._reason.value.strip()
        if self._wants_digits and digits != self._plan.code:
            self._wrong = "These are not this plan's digits; nothing was changed." if digits else ""
            self._digits.value = ""
            self._digits.focus()
        elif not reason:
            self._wrong = "Why? Without a reason nothing is changed." if message.input is self._reason else ""
            self._reason.focus()
        elif message.input is self._reason:
            typed = digits if self._wants_digits else self._plan.hash
            self.dismiss(Agreed(self._plan.hash, typed, reason))
        else:
            self._reason.focus()
        self.draw()


def _choice(words: str, marked: bool) -> Line:
    return line(Span(" ► " if marked else "   ", "cursor"), Span(words, "strong" if marked else "dim"))
