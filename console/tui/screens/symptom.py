"""One symptom: what is seen, how old that is, what may be behind it, the commands to run by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from console.presentation.spans import EMPTY, Line, Span, line
from console.presentation.symptom_page import page_lines, steps_of, wizard_command
from console.tui.screens.marked_list import MarkedList
from console.tui.screens.page import Page
from pipeline.contracts.status import SymptomStatus


class SymptomScreen(Page):
    """``among`` is the list that it was opened from; without one, ``[`` and ``]`` go through what shows."""

    place = "symptom"
    silent: ClassVar[tuple[str, ...]] = ("symptom.help",)
    first_hints: ClassVar[tuple[str, ...]] = ("what to do", "copy command", "back")

    def __init__(self, symptom_id: str, among: MarkedList | None = None) -> None:
        super().__init__()
        self.symptom_id = symptom_id
        self._among = among
        self._last: SymptomStatus | None = None

    def trail(self) -> tuple[str, ...]:
        return ("Runbook" if self._among else "Symptom", self.symptom_id)

    def _current(self) -> SymptomStatus | None:
        """What the detectors say of it now; None when they do not see it."""
        shown = self.console.state.symptoms
        current = next((known for known in shown if known.id == self.symptom_id), None)
        self._last = current or self._last
        return current

    def page_lines(self, width: int) -> list[Line]:
        state = self.console.state
        current, known = self._current(), state.runbook.symptom(self.symptom_id)
        lines = page_lines(
            current or (self._last if known is None else None),
            self.symptom_id,
            state.runbook,
            state.firewall,
            state.workspace,
            self.console.now(),
            width,
        )
        if current is None and self._last is not None:
            gone = Span(" The detectors no longer see it.", "ok")
            return [EMPTY, line(gone), *lines]
        return lines

    def handlers(self) -> dict[str, Callable[[], None]]:
        return {
            **super().handlers(),
            "symptom.previous": lambda: self._step(-1),
            "symptom.next": lambda: self._step(1),
            "wizard.open": lambda: self.console.open_wizard(self.symptom_id),
            "symptom.help": lambda: None,
        }

    def _step(self, step: int) -> None:
        if self._among is not None:
            beside = self._among.beside(step)
        else:
            ids = [symptom.id for symptom in self.console.state.symptoms]
            at = ids.index(self.symptom_id) if self.symptom_id in ids else 0
            beside = ids[max(0, min(len(ids) - 1, at + step))] if ids else None
        if beside is not None and beside != self.symptom_id:
            if self._among is not None:
                self._among.marked = beside
            self.symptom_id, self._last, self.first_line = beside, None, 0
            self.draw()

    def command_to_copy(self) -> str | None:
        """The wizard's command; where the runbook was not heard, the first one to run by hand."""
        state = self.console.state
        known = state.runbook.symptom(self.symptom_id)
        if known is not None:
            return wizard_command(self.symptom_id, state.workspace)
        steps = steps_of(self._current() or self._last, None, state.firewall, state.workspace)
        return steps[0][1] if steps else None
