"""One symptom: what is seen, how old that is, and the commands to run by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.binding import BindingType

from console.presentation.pages import commands_for, symptom_lines
from console.presentation.spans import EMPTY, Line, Span, line
from console.screens.base import bindings_for
from console.screens.page import Page
from pipeline.contracts.status import SymptomStatus


class SymptomScreen(Page):
    place = "page"
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("page")
    silent: ClassVar[tuple[str, ...]] = ("symptom.help",)

    def __init__(self, symptom: SymptomStatus) -> None:
        super().__init__()
        self._symptom = symptom

    def trail(self) -> tuple[str, ...]:
        return ("Symptom", self._symptom.id)

    def _current(self) -> SymptomStatus | None:
        """What the detectors say of it now; None when they no longer see it."""
        return next((known for known in self.console.state.symptoms if known.id == self._symptom.id), None)

    def page_lines(self, width: int) -> list[Line]:
        state = self.console.state
        current = self._current()
        lines = symptom_lines(
            current or self._symptom, state.firewall, state.workspace, self.console.now(), width
        )
        if current is None:
            gone = Span(" The detector no longer sees it; this page is what was last seen.", "ok")
            return [EMPTY, line(gone), *lines]
        return lines

    def handlers(self) -> dict[str, Callable[[], None]]:
        return {
            **super().handlers(),
            "symptom.previous": lambda: self._step(-1),
            "symptom.next": lambda: self._step(1),
            "symptom.help": lambda: None,
        }

    def _step(self, step: int) -> None:
        symptoms = self.console.state.symptoms
        ids = [symptom.id for symptom in symptoms]
        if self._symptom.id in ids:
            position = max(0, min(len(ids) - 1, ids.index(self._symptom.id) + step))
            self._symptom, self.first_line = symptoms[position], 0
            self.draw()

    def command_to_copy(self) -> str | None:
        state = self.console.state
        steps = commands_for(self._symptom, state.firewall, state.workspace)
        return steps[0][1] if steps else None
