"""The runbook: every symptom, those that show first, each one key from its wizard; and one symptom.

Its page has what is seen, how old that is, what may be behind it, the commands to run by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from console.presentation.band import head_words, tally_role
from console.presentation.lines import fact_lines
from console.presentation.runbook_list import column_line, grouped, look_line, summary_words
from console.presentation.spans import EMPTY, Line, Span, line
from console.presentation.symptom_page import page_lines, steps_of, wizard_command
from console.tui.screens.marked_list import MarkedList, Row, grouped_rows
from console.tui.screens.page import Page
from pipeline.contracts.status import SymptomStatus
from pipeline.contracts.untrusted import visible


class RunbookScreen(MarkedList):
    """The list is the app's state: detectors are asked by the feed, never by a screen."""

    place = "runbook"
    crumb: ClassVar[str] = "Runbook"
    looks: ClassVar[bool] = False
    silent: ClassVar[tuple[str, ...]] = ("screen.runbook",)
    first_hints: ClassVar[tuple[str, ...]] = ("what to do", "open", "copy command", "back")

    def __init__(self, workspace: str) -> None:
        super().__init__()
        self._workspace = workspace

    def place_words(self) -> str:
        state = self.console.state
        return summary_words(state.symptoms, state.runbook)

    def head_lines(self, width: int) -> list[Line]:
        reading, now = self.console.state.runbook, self.console.now()
        return [look_line(reading, now, width), column_line(width)]

    def rows(self, width: int) -> Sequence[Row]:
        state, now = self.console.state, self.console.now()
        rows: list[Row] = []
        if state.runbook.trouble:
            rows += [Row(None, spans) for spans in _trouble(state.runbook.trouble, width)]
        groups = grouped(state.symptoms, state.runbook, now, width)
        rows += grouped_rows(groups, width, lambda found: Row(*found))
        if not state.symptoms and state.runbook.symptoms:
            calm = line(" ", Span(head_words(0, state.tally, now), tally_role(state.tally)))
            return [Row(None, EMPTY), Row(None, calm), Row(None, EMPTY), *rows]
        return rows or [Row(None, line(Span(" ? the detectors have not answered yet", "dim")))]

    def open_marked(self, key: str) -> None:
        self.console.open("symptom", key, self)

    def handlers(self) -> dict[str, Callable[[], None]]:
        return {
            **super().handlers(),
            "wizard.open": lambda: self.with_marked(self.console.open_wizard),
            "symptom.help": lambda: self.with_marked(self.open_marked),
        }

    def command_to_copy(self) -> str | None:
        return wizard_command(self.marked, self._workspace) if self.marked else None


def _trouble(trouble: Sequence[str], width: int) -> list[Line]:
    names = ("what happened", "kept safe", "do next")
    lines: list[Line] = [EMPTY]
    for name, text in zip(names, trouble, strict=False):
        lines += fact_lines(name, visible(text, 500), width, "accent" if name == "do next" else "text", 15)
    return [*lines, EMPTY]


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

    def beside_word(self) -> str:
        return "symptom"

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
