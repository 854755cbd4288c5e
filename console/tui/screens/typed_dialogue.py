"""The base of dialogues in which one types.

Textual's own input takes letters from its queue, but enter from a binding, at once: what a slow link delivers
in one piece would be submitted before it was read, and the rest would land in the wrong field; and keys that
come before it has the focus are lost. Here each key is taken in its order.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TypeVar

from textual import events

from console import keymap
from console.presentation.spans import Line, Span, cell_width, line
from console.tui.screens.dialogue import Dialogue
from pipeline.contracts.untrusted import visible

Result = TypeVar("Result")
NOWHERE = -1
_DIGITS = frozenset("0123456789")


@dataclass
class Field:
    """``most`` characters are taken, the rest is dropped; none make it a choice that enter takes.

    ``digits`` are typed one key after the other: a paste is none. ``is_offered``: the text stands there to be
    taken by enter, and gives way to the first key that is typed.
    """

    label: str
    most: int = 500
    text: str = ""
    digits: bool = False
    is_offered: bool = False


class TypedDialogue(Dialogue[Result]):
    """Subclasses say what stands above the fields, and what enter in a field means."""

    def __init__(self, fields: tuple[Field, ...], *, no: str = "", at: int = NOWHERE) -> None:
        """``no`` is the answer that is marked while no field is; without one a field always is."""
        super().__init__()
        self.fields = fields
        self.at = at
        self._no = no

    def above(self, width: int) -> list[Line]:
        """What stands right above the fields."""
        return []

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
            label = _marked(f"{field.label:>{widest}}  ", here and self._has_a_choice)
            cursor = Span("▏" if here and field.most else "", "cursor")
            lines.append(line(*label, Span(shown, "strong"), cursor))
        return lines

    @property
    def _has_a_choice(self) -> bool:
        return bool(self._no) or len(self.fields) > 1

    def field_for(self, character: str) -> int:
        """Which field takes what is typed while none is marked."""
        return NOWHERE

    def go_to(self, position: int) -> None:
        lowest = NOWHERE if self._no else 0
        self.at = max(lowest, min(len(self.fields) - 1, position))
        self.draw()

    # Keys, all of them, in their order

    def takes(self, event: events.Key | events.Paste) -> bool:
        """Text for a field that is marked from the start answers nothing, so it may be typed ahead."""
        is_text = isinstance(event, events.Paste) or event.is_printable
        return self.listens or (is_text and self.at != NOWHERE)

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        character = event.character if event.is_printable else None
        if self.at == NOWHERE and character is not None:
            self.at = self.field_for(character)
        if self.at != NOWHERE and character is not None:
            self.type_text(character)
        elif self.at != NOWHERE and event.key in ("backspace", "ctrl+h"):
            self._keep(self.fields[self.at].text[:-1])
        elif self.at != NOWHERE and event.key == "ctrl+u":
            self._keep("")
        else:
            self._act(event.key)
        if self.is_attached:
            self.draw()

    def on_paste(self, event: events.Paste) -> None:
        """One line of it: a line end in what is pasted is no enter."""
        event.stop()
        if self.at != NOWHERE and not self.fields[self.at].digits:
            self.type_text(" ".join(event.text.split()))
            self.draw()

    def type_text(self, text: str) -> None:
        field = self.fields[self.at]
        if field.digits:
            text = "".join(character for character in text if character in _DIGITS)
        self._keep(text if field.is_offered else field.text + text)

    def _keep(self, text: str) -> None:
        field = self.fields[self.at]
        field.text, field.is_offered = text[: field.most], False

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
            case "page_down":
                self.scroll_pages(1)
            case "page_up":
                self.scroll_pages(-1)
            case "copy.command" if self.at == NOWHERE:
                self.copied()
            case _:
                pass

    def copied(self) -> None:
        """The key that copies a command, where there is one."""


def _marked(words: str, here: bool) -> Line:
    return line(Span(" ► " if here else "   ", "cursor"), Span(words, "strong" if here else "dim"))
