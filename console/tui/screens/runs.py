"""Runs: past runs, the receipts of one, two compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from console.presentation.runs import comparison_lines, run_head, run_line, run_lines
from console.presentation.spans import EMPTY, Line, Span, line
from console.reading.run_compare import RunDetails, compare, read_run
from console.tui.screens.marked_list import MarkedList, Row
from console.tui.screens.page import ReadPage

_COMPARED = 2


class RunsScreen(MarkedList):
    """The list is that of the app's state: the newest runs, as many as the reader keeps."""

    place = "runs"
    crumb: ClassVar[str] = "Runs"
    looks: ClassVar[bool] = False
    silent: ClassVar[tuple[str, ...]] = ("screen.runs",)
    first_hints: ClassVar[tuple[str, ...]] = ("open", "choose", "back")

    def __init__(self, workspace: str, marked: str | None = None) -> None:
        super().__init__()
        self._root = Path(workspace)
        self.marked = marked
        self.chosen: list[str] = []

    def head_lines(self, width: int) -> list[Line]:
        return [run_head(width)]

    def rows(self, width: int) -> Sequence[Row]:
        now = self.console.now()
        rows = [
            Row(run.pipeline_run_id, run_line(run, self._number(run.pipeline_run_id), now, width))
            for run in self.console.state.runs
        ]
        if not rows:
            nothing = line(" ", Span("? never", "warn"), "  no run has a report here")
            return [Row(None, EMPTY), Row(None, nothing)]
        return [*rows, Row(None, EMPTY), Row(None, self._what_enter_does())] if self._can_compare else rows

    @property
    def _can_compare(self) -> bool:
        return len(self.console.state.runs) >= _COMPARED

    def hints(self) -> tuple[tuple[str, str], ...]:
        """With one run there is nothing to choose."""
        return tuple(hint for hint in super().hints() if hint[1] != "choose" or self._can_compare)

    def _number(self, run_id: str) -> int | None:
        return self.chosen.index(run_id) + 1 if run_id in self.chosen else None

    def _what_enter_does(self) -> Line:
        if len(self.chosen) == _COMPARED:
            return line("   ", Span("enter", "key"), Span(": compare 1 with 2; space: drop one", "dim"))
        left = _COMPARED - len(self.chosen)
        words = (
            f": choose a run; with {left} more, enter compares them"
            if self.chosen
            else ": choose two runs to compare"
        )
        return line("   ", Span("space", "key"), Span(words, "dim"))

    def handlers(self) -> dict[str, Callable[[], None]]:
        return {**super().handlers(), "mark": self._choose}

    def _choose(self) -> None:
        """Choose the marked run, or take it back; a third one takes the place of the older."""
        if self.marked is None:
            return
        if self.marked in self.chosen:
            self.chosen.remove(self.marked)
        else:
            self.chosen = [*self.chosen[-(_COMPARED - 1) :], self.marked]
        self.draw()

    def open_marked(self, key: str) -> None:
        if len(self.chosen) == _COMPARED:
            self.app.push_screen(ComparePage(self._root, *self.chosen))
        else:
            self.app.push_screen(RunPage(self._root, key))


class RunPage(ReadPage[RunDetails]):
    place = "page"

    def __init__(self, root: Path, run_id: str) -> None:
        super().__init__()
        self._root, self._run_id = root, run_id

    def trail(self) -> tuple[str, ...]:
        return ("Runs", self._run_id)

    def read(self) -> RunDetails:
        return read_run(self._root, self._run_id)

    def lines_of(self, found: RunDetails, width: int) -> list[Line]:
        return run_lines(found, self.console.now(), width)


class ComparePage(ReadPage[tuple[RunDetails, RunDetails]]):
    place = "page"

    def __init__(self, root: Path, first: str, second: str) -> None:
        super().__init__()
        self._root, self._first, self._second = root, first, second

    def trail(self) -> tuple[str, ...]:
        return ("Runs", "compared")

    def read(self) -> tuple[RunDetails, RunDetails]:
        return read_run(self._root, self._first), read_run(self._root, self._second)

    def lines_of(self, found: tuple[RunDetails, RunDetails], width: int) -> list[Line]:
        return comparison_lines(*found, compare(*found), width)
