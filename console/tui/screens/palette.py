"""The command palette: every action by a part of its name, with its key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import Widget
from textual.widgets import Input

from console import keymap
from console.presentation.spans import EMPTY, Line, Role, Span, fit, fit_text, line, spread
from console.tui import palette
from console.tui.screens.base import bindings_for
from console.tui.screens.dialogue import Dialogue
from console.tui.widgets.one_line import one_line

_MOST_ROWS = 12


class PaletteDialogue(Dialogue[str]):
    """Answers with an action's id, empty for none. Only what works in ``place`` is offered."""

    AUTO_FOCUS: ClassVar[str | None] = "#wanted"
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("dialogue")
    waits_for_eyes: ClassVar[bool] = False
    heading = "COMMANDS"

    def __init__(self, place: keymap.Place) -> None:
        super().__init__()
        self._actions = tuple(action for action in keymap.at(place) if action.in_palette)
        self._marked = 0
        self._wanted = one_line("part of a command", "wanted")

    @property
    def found(self) -> list[keymap.Action]:
        return palette.find(self._wanted.value, self._actions)

    def parts(self) -> Iterable[Widget]:
        yield self._wanted
        yield self.body

    def body_lines(self, width: int) -> list[Line]:
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

    @on(Input.Changed)
    def _typed(self) -> None:
        self._marked = 0
        self.draw()

    @on(Input.Submitted)
    def _chosen(self) -> None:
        found = self.found
        self.dismiss(found[self._marked].id if found else "")

    def action_act(self, action_id: str) -> None:
        match action_id:
            case "up" | "down":
                self._marked += 1 if action_id == "down" else -1
                self.draw()
            case "back":
                self.dismiss("")
            case _:
                pass  # keys of other dialogues mean nothing here
