"""The palette: what the console can show or do, found by a part of its name."""

from __future__ import annotations

from typing import ClassVar

from console import keymap
from console.presentation.palette import Offer, find, offers
from console.presentation.spans import EMPTY, Line, Role, Span, fit, fit_text, line, spread, wrap_text
from console.tui.screens.typed_dialogue import Field, TypedDialogue
from pipeline.contracts.untrusted import visible

_MOST_ROWS = 12
_MOST_TOLD = 2


class PaletteDialogue(TypedDialogue[str]):
    """Answers with an offer's id, empty for none. Of actions, only what works in ``place`` is offered."""

    waits_for_eyes: ClassVar[bool] = False
    heading = "COMMANDS"
    hints = (("enter", "open"), ("up/down", "mark"), ("esc", "back"))

    def __init__(self, place: keymap.Place) -> None:
        self._wanted = Field(":")
        super().__init__((self._wanted,), at=0)
        self._place: keymap.Place = place
        self._marked = 0

    @property
    def found(self) -> list[Offer]:
        return find(self._wanted.text, offers(self.console.state, self._place))

    def body_lines(self, width: int) -> list[Line]:
        return [*super().body_lines(width), *self._offers(width)]

    def _offers(self, width: int) -> list[Line]:
        """A list that keeps its height, whatever is found."""
        found = self.found
        rows = max(1, min(_MOST_ROWS, self.size.height - 4 - _MOST_TOLD))
        self._marked = max(0, min(self._marked, len(found) - 1))
        first = max(0, self._marked - rows + 1)
        lines = [
            self._row(offer, position == self._marked, width)
            for position, offer in enumerate(found[first : first + rows], start=first)
        ]
        lines = lines or [line(Span(" no match: a shorter word, or esc", "dim"))]
        return [*lines, *[EMPTY] * (rows - len(lines)), *self._told(found, width)]

    def _told(self, found: list[Offer], width: int) -> list[Line]:
        """What the marked one does, whole: its row may have no room for it."""
        if self.size.height < _MOST_ROWS:
            return []
        told = wrap_text(visible(found[self._marked].help, 200), width - 2) if found else []
        shown = [line(Span(f" {part}", "dim")) for part in told[:_MOST_TOLD]]
        return [line(Span("─" * width, "border")), *shown, *[EMPTY] * (_MOST_TOLD - len(shown))]

    def _row(self, offer: Offer, marked: bool, width: int) -> Line:
        refused = offer.mutating and not self.console.armed.is_armed
        role: Role = "dim" if refused else ("strong" if marked else "text")
        name = Span(fit_text(offer.name, max(18, min(30, width // 3))), role)
        why = line(Span(" read-only ", "warn")) if refused else line(Span(f" {offer.key} ", "key"))
        left = line(Span("► " if marked else "  ", "cursor"), name, Span(f" {offer.help}", "dim"))
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
