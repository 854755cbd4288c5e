"""One check: its numbers, its examples, and the command that runs it again.

An example that names a row opens it: enter on the row itself, ``t`` on where it came from.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, ClassVar, Protocol

from console.presentation.check_list import runnable
from console.presentation.check_page import check_rows
from console.presentation.spans import EMPTY, Span, line
from console.reading.row_finder import find_row, names_row
from console.tui.screens.marked_list import MarkedList, Row
from pipeline.contracts.untrusted import visible

if TYPE_CHECKING:
    from pipeline.contracts.status import Origin
    from pipeline.reading.check_report import Check, Example


class Audited(Protocol):
    """The list that the check is one of: ``marked`` is the check that is open in it."""

    marked: str | None

    def find(self, check_id: str) -> Check | None: ...

    def origin_of(self, check: Check) -> Origin: ...

    def beside(self, items: int) -> str | None: ...


class CheckScreen(MarkedList):
    """Shows what ``audit`` knows of the check; it goes on reading while this page is on top."""

    place = "check"
    looks: ClassVar[bool] = False
    first_hints: ClassVar[tuple[str, ...]] = ("open", "trace", "copy command", "back")

    def __init__(self, audit: Audited, check_id: str) -> None:
        super().__init__()
        self._audit = audit
        self._check_id = check_id
        self._last = audit.find(check_id)
        self._stop_search = Event()

    def on_unmount(self) -> None:
        self._stop_search.set()

    def trail(self) -> tuple[str, ...]:
        return ("Audit", self._check_id)

    def place_words(self) -> str:
        return super().place_words() if self.marked is not None else ""

    def hints(self) -> tuple[tuple[str, str], ...]:
        idle = {"open", "trace"} if self.marked is None else set()
        return tuple(hint for hint in super().hints() if hint[1] not in idle)

    def _check(self) -> Check | None:
        self._last = self._audit.find(self._check_id) or self._last
        return self._last

    def rows(self, width: int) -> Sequence[Row]:
        check = self._check()
        if check is None:
            gone = line(Span(" the report no longer holds this check", "warn"))
            return [Row(None, EMPTY), Row(None, gone)]
        console = self.console
        origin = self._audit.origin_of(check)
        return [
            Row(
                str(number) if number is not None and leads_somewhere(check.examples[number]) else None, spans
            )
            for number, spans in check_rows(check, origin, console.state.workspace, console.now(), width)
        ]

    # Keys

    def handlers(self) -> dict[str, Callable[[], None]]:
        return {
            **super().handlers(),
            "symptom.previous": lambda: self._step_check(-1),
            "symptom.next": lambda: self._step_check(1),
            "trace": self._trace,
        }

    def step(self, items: int) -> None:
        """To another example; past the last one, and where there is none, the page scrolls."""
        if self.beside(items) in (None, self.marked):
            self.first_line += items
            self.draw()
        else:
            super().step(items)

    def _step_check(self, items: int) -> None:
        """The check before or after this one, in the audit's list."""
        beside = self._audit.beside(items)
        if beside is not None:
            self._audit.marked = self._check_id = beside
            self._last, self.first_line, self.marked = self._audit.find(beside), 0, None
            self.draw()

    def _example(self) -> Example | None:
        check = self._check()
        return check.examples[int(self.marked)] if check is not None and self.marked is not None else None

    def open_marked(self, key: str) -> None:
        example = self._example()
        if example is None:
            return
        if names_row(example.file, example.line, example.run_id):
            self.run_worker(self._open_row(example), name="example", exclusive=True, exit_on_error=False)
        else:
            self._trace()

    async def _open_row(self, example: Example) -> None:
        from console.tui.screens.rows import open_rows

        root = Path(self.console.state.workspace)
        self.console.say(f"looking for the row in {example.file}")
        found = await asyncio.to_thread(
            find_row, root, example.file, example.line, example.run_id, self._stop_search
        )
        if not self.is_current:
            return
        if found.offset is None:
            self.console.say(found.trouble, "warning")
            return
        open_rows(self.console, root, example.file, found.offset)
        if found.doubt:
            self.console.say(found.doubt, "warning")

    def _trace(self) -> None:
        example = self._example()
        if example is None:
            self.console.say("no example here names a row")
            return
        asked = example.run_id or f"{example.file}:{example.line}"
        self.console.open("lineage", Path(self.console.state.workspace), asked)

    def text_to_copy(self) -> str | None:
        return visible(self._check_id)

    def command_to_copy(self) -> str | None:
        check = self._check()
        return runnable(check.reproduce, self.console.state.workspace) or None if check else None


def leads_somewhere(example: Example) -> bool:
    """Whether an example names a row that can be opened, or a run that can be traced."""
    return bool(example.run_id) or names_row(example.file, example.line, example.run_id)
