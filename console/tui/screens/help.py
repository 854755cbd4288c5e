"""Every key that works where it was asked for: as a page, with what the marks mean, and as a palette.

The palette finds an action by a part of its name, those that are meant best first.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from console import keymap
from console.keymap import Action
from console.presentation.pages import help_lines
from console.presentation.spans import EMPTY, Line, Role, Span, fit, fit_text, line, spread
from console.tui.screens.page import Page
from console.tui.screens.typed_dialogue import Field, TypedDialogue


class HelpScreen(Page):
    place = "help"
    silent: ClassVar[tuple[str, ...]] = ("help",)

    def __init__(self, about: keymap.Place) -> None:
        super().__init__()
        self._about: keymap.Place = about

    def trail(self) -> tuple[str, ...]:
        return (self._about, "Help")

    def page_lines(self, width: int) -> list[Line]:
        return help_lines(self._about, width)


_MOST_ROWS = 12


class PaletteDialogue(TypedDialogue[str]):
    """Answers with an action's id, empty for none. Only what works in ``place`` is offered."""

    waits_for_eyes: ClassVar[bool] = False
    heading = "COMMANDS"

    def __init__(self, place: keymap.Place) -> None:
        self._wanted = Field(":")
        super().__init__((self._wanted,), at=0)
        self._actions = tuple(action for action in keymap.at(place) if action.in_palette)
        self._marked = 0

    @property
    def found(self) -> list[keymap.Action]:
        return find(self._wanted.text, self._actions)

    def body_lines(self, width: int) -> list[Line]:
        return [*super().body_lines(width), *self._offers(width)]

    def _offers(self, width: int) -> list[Line]:
        """A list that keeps its height, whatever is found."""
        found = self.found
        rows = max(1, min(_MOST_ROWS, self.size.height - 4))
        self._marked = max(0, min(self._marked, len(found) - 1))
        first = max(0, self._marked - rows + 1)
        lines = [
            self._row(action, position == self._marked, width)
            for position, action in enumerate(found[first : first + rows], start=first)
        ]
        lines = lines or [line(Span(" no command like that", "dim"))]
        return [*lines, *[EMPTY] * (rows - len(lines))]

    def _row(self, action: keymap.Action, marked: bool, width: int) -> Line:
        refused = action.mutating and not self.console.armed.is_armed
        role: Role = "dim" if refused else ("strong" if marked else "text")
        name = Span(fit_text(action.id.replace(".", " "), 18), role)
        why = line(Span(" read-only ", "warn")) if refused else line(Span(f" {action.shown_key} ", "key"))
        left = line(Span("► " if marked else "  ", "cursor"), name, Span(action.help, "dim"))
        return fit(spread(left, why, width), width)

    def go_to(self, position: int) -> None:
        """There is one field: up and down move the mark below it."""
        self._marked += position
        self.draw()

    def type_text(self, text: str) -> None:
        super().type_text(text)
        self._marked = 0

    def entered(self, field: Field) -> None:
        found = self.found
        self.dismiss(found[self._marked].id if found else "")

    def refused(self) -> None:
        self.dismiss("")


def score(wanted: str, action: Action) -> int | None:
    """How well ``wanted`` names the action, lower is better; None when it does not.

    A start of a word beats letters inside one, which beat letters in the right order.
    """
    typed = wanted.casefold().strip()
    if not typed:
        return 0
    name = action.id.replace(".", " ")
    haystack = f"{name} {action.help}".casefold()
    if name.startswith(typed):
        return 0
    if any(word.startswith(typed) for word in haystack.split()):
        return 1 + haystack.index(typed)
    if typed in haystack:
        return 1_000 + haystack.index(typed)
    return 10_000 if _in_order(typed, name) else None


def _in_order(typed: str, text: str) -> bool:
    letters = iter(text)
    return all(letter in letters for letter in typed if letter != " ")


def find(wanted: str, actions: Iterable[Action]) -> list[Action]:
    """The actions that ``wanted`` may mean; the table's order breaks ties."""
    scored = ((score(wanted, action), position, action) for position, action in enumerate(actions))
    found = [(value, position, action) for value, position, action in scored if value is not None]
    return [action for _, _, action in sorted(found, key=lambda item: item[:2])]
