"""The runbook: every symptom, those that show first, each one key from its wizard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from console.presentation.detector_tally import head_words, tally_role
from console.presentation.lines import fact_lines
from console.presentation.runbook_list import column_line, grouped, look_line, summary_words
from console.presentation.spans import EMPTY, Line, Span, line
from console.presentation.symptom_page import wizard_command
from console.tui.screens.marked_list import MarkedList, Row, grouped_rows
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
            "wizard.open": self._wizard,
            "symptom.help": self._open,
            "symptom.previous": lambda: self.step(-1),
            "symptom.next": lambda: self.step(1),
        }

    def _wizard(self) -> None:
        if self.marked is not None:
            self.console.open_wizard(self.marked)

    def text_to_copy(self) -> str | None:
        return self.marked

    def command_to_copy(self) -> str | None:
        return wizard_command(self.marked, self._workspace) if self.marked else None


def _trouble(trouble: Sequence[str], width: int) -> list[Line]:
    names = ("what happened", "kept safe", "do next")
    lines: list[Line] = [EMPTY]
    for name, text in zip(names, trouble, strict=False):
        lines += fact_lines(name, visible(text, 500), width, "accent" if name == "do next" else "text", 15)
    return [*lines, EMPTY]
