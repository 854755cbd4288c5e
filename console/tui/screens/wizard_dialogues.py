"""A question that is answered in words; and the consent to one plan: it starts on no, only words say yes.

A critical plan wants four digits that only this plan has, so that they cannot be a habit or have
been typed ahead; every plan wants a reason, for the record. Enter alone answers nothing.

Textual's own input takes letters from its queue, but enter from a binding, at once: what a slow link delivers
in one piece would be submitted before it was read, and the rest would land in the wrong field. Here each key
is taken in its order.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from textual import events

from console import keymap
from console.presentation.spans import EMPTY, Line, Span, cell_width, line, wrap_text
from console.presentation.wizard_plan import consent_lines
from console.tui.screens.dialogue import Dialogue
from pipeline.contracts.untrusted import visible

if TYPE_CHECKING:
    from console.control.wizard_view import WizardView
    from runbook.symptom import Question


Result = TypeVar("Result")
NOWHERE = -1


@dataclass
class Field:
    """``most`` characters are taken, the rest is dropped."""

    label: str
    most: int = 500
    text: str = ""


class TypedDialogue(Dialogue[Result]):
    """Subclasses say what stands above the fields, and what enter in a field means."""

    def __init__(self, fields: tuple[Field, ...], *, no: str = "", at: int = NOWHERE) -> None:
        """``no`` is the answer that is marked while no field is; without one a field always is."""
        super().__init__()
        self.fields = fields
        self.at = at
        self._no = no

    @abstractmethod
    def above(self, width: int) -> list[Line]:
        """What is read before anything is typed."""

    @abstractmethod
    def entered(self, field: Field) -> None:
        """Enter, in a field."""

    @abstractmethod
    def refused(self) -> None:
        """Escape, or enter on no field."""

    def body_lines(self, width: int) -> list[Line]:
        lines = self.above(width)
        if self._no:
            lines.append(_marked(self._no, self.at == NOWHERE))
        widest = max(cell_width(field.label) for field in self.fields)
        for position, field in enumerate(self.fields):
            here = position == self.at
            room = max(8, width - widest - 7)
            shown = visible(field.text)[-room:]
            label = _marked(f"{field.label:>{widest}}  ", here)
            lines.append(line(*label, Span(shown, "strong"), Span("▏" if here else "", "cursor")))
        return lines

    def go_to(self, position: int) -> None:
        lowest = NOWHERE if self._no else 0
        self.at = max(lowest, min(len(self.fields) - 1, position))
        self.draw()

    # Keys, all of them, in their order

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        if self.at != NOWHERE and event.is_printable and event.character is not None:
            self._type(event.character)
        elif self.at != NOWHERE and event.key in ("backspace", "ctrl+h"):
            self.fields[self.at].text = self.fields[self.at].text[:-1]
        elif self.at != NOWHERE and event.key == "ctrl+u":
            self.fields[self.at].text = ""
        else:
            self._act(event.key)
        if self.is_attached:
            self.draw()

    def on_paste(self, event: events.Paste) -> None:
        """One line of it: a line end in what is pasted is no enter."""
        event.stop()
        if self.at != NOWHERE:
            self._type(" ".join(event.text.split()))
            self.draw()

    def _type(self, text: str) -> None:
        field = self.fields[self.at]
        field.text = (field.text + text)[: field.most]

    def _act(self, key: str) -> None:
        action = next((each for each in keymap.at("dialogue") if key in each.keys), None)
        match action.id if action is not None else "":
            case "down":
                self.go_to(self.at + 1)
            case "up":
                self.go_to(self.at - 1)
            case "back":
                self.refused()
            case "choose" if self.at == NOWHERE:
                self.refused()
            case "choose":
                self.entered(self.fields[self.at])
            case _:
                pass


def _marked(words: str, here: bool) -> Line:
    return line(Span(" ► " if here else "   ", "cursor"), Span(words, "strong" if here else "dim"))


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
