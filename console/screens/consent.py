"""The question before a change: the plan, and a choice that starts on no."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical

from console import keymap
from console.feed import CommandPlan
from console.presentation.edge_lines import key_line
from console.presentation.pages import plan_lines
from console.presentation.spans import EMPTY, Line, Span, fit, line
from console.screens.base import bindings_for
from console.screens.dialogue import Dialogue
from console.widgets.canvas import Canvas


class ConsentDialogue(Dialogue[bool]):
    """Answers True only for the second choice, which has to be moved to first."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_for("dialogue")

    def __init__(self, plan: CommandPlan) -> None:
        super().__init__()
        self.plan = plan
        self.chosen_yes = False
        self._body = Canvas(id="plan")

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = self.plan.title
            yield self._body

    def on_resize(self) -> None:
        self.call_after_refresh(self.draw)

    def draw(self) -> None:
        width = self._body.size.width or 60
        lines = [*plan_lines(self.plan, width), EMPTY, *self._choices(width), EMPTY, self._keys(width)]
        self._body.styles.height = len(lines)
        self._body.show(lines)

    def _choices(self, width: int) -> list[Line]:
        return [
            self._choice(self.plan.no, not self.chosen_yes, width),
            self._choice(self.plan.yes, self.chosen_yes, width),
        ]

    def _choice(self, words: str, marked: bool, width: int) -> Line:
        mark = Span(" ► " if marked else "   ", "cursor")
        return fit(line(mark, Span(words, "strong" if marked else "dim")), width)

    def _keys(self, width: int) -> Line:
        return key_line((("↑↓", "move"), *keymap.hints("dialogue")), width)

    def action_act(self, action_id: str) -> None:
        match action_id:
            case "up" | "down":
                self.chosen_yes = action_id == "down"
                self.draw()
            case "choose":
                self.dismiss(self.chosen_yes)
            case "back":
                self.dismiss(False)
            case "copy.command":
                self.console.copy(self.plan.command_line, "the command")
                self.dismiss(False)
            case _:
                pass  # keys of other dialogues mean nothing here
