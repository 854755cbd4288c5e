"""Audit: every check of audit-full and acceptance, failing ones first, live while they run; and one of them.

A check shows its numbers, its examples, and the command that runs it again. An example that names a row opens
it: enter on the row itself, ``t`` on where it came from.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, ClassVar

from console.presentation.checks import (
    check_line,
    check_rows,
    column_line,
    grouped,
    run_lines,
    runnable,
    summary_words,
)
from console.presentation.spans import EMPTY, Line, Span, line
from console.reading.check_runs import CheckRun, acceptance_reader, audit_reader
from console.reading.engine_code import EngineCode
from console.reading.report_basis import origin_of_run
from console.reading.row_files import find_row, names_row
from console.tui.screens.marked_list import MarkedList, Row, grouped_rows
from pipeline.contracts.status import NEVER
from pipeline.contracts.untrusted import visible

if TYPE_CHECKING:
    from pipeline.contracts.status import Origin
    from pipeline.reading.check_report import Check, Example


class AuditScreen(MarkedList):
    place = "audit"
    crumb: ClassVar[str] = "Audit"
    silent: ClassVar[tuple[str, ...]] = ("screen.audit",)
    first_hints: ClassVar[tuple[str, ...]] = ("audit", "acceptance", "open", "copy command", "back")

    def __init__(self, workspace: str) -> None:
        super().__init__()
        self._readers = (audit_reader(Path(workspace)), acceptance_reader(Path(workspace)))
        self.runs = (CheckRun("audit-full"), CheckRun("acceptance"))
        self._code = EngineCode(Path(workspace))
        self._engine: str | None = None
        self._was_read = False

    def look(self) -> None:
        audit, acceptance = (reader.read() for reader in self._readers)
        self._engine = self._code.digest()
        self.runs, self._was_read = (audit, acceptance), True

    def place_words(self) -> str:
        return summary_words(self.runs)

    def origin_of(self, check: Check) -> Origin:
        """How far ``check`` may be believed now: a result of the running command is fresh."""
        run = next((run for run in self.runs if check in run.checks), None)
        return self._origin(run, check.as_of) if run is not None else NEVER

    def _origin(self, run: CheckRun, as_of: float | None) -> Origin:
        return origin_of_run(run, as_of, self.console.state.phases, self._engine, self.console.now())

    def head_lines(self, width: int) -> list[Line]:
        now = self.console.now()
        lines = [
            spans for run in self.runs for spans in run_lines(run, self._origin(run, run.as_of), now, width)
        ]
        return [*lines, column_line(width)] if any(run.checks for run in self.runs) else lines

    def rows(self, width: int) -> Sequence[Row]:
        now = self.console.now()
        if not self._was_read:
            return [Row(None, line(Span(" ? reading the reports", "dim")))]
        freshness = {
            check.id: self._origin(run, check.as_of).freshness for run in self.runs for check in run.checks
        }

        def row_of(check: Check) -> Row:
            return Row(check.id, check_line(check, freshness[check.id], now, width))

        rows = [*grouped_rows(grouped(check for run in self.runs for check in run.checks), width, row_of)]
        return rows or [Row(None, spans) for spans in _nothing()]

    def find(self, check_id: str) -> Check | None:
        return next((check for run in self.runs for check in run.checks if check.id == check_id), None)

    def open_marked(self, key: str) -> None:
        self.console.open("check", self, key)

    def command_to_copy(self) -> str | None:
        check = self.find(self.marked or "")
        return runnable(check.reproduce, self.console.state.workspace) or None if check else None


def _nothing() -> list[Line]:
    return [
        EMPTY,
        line(" ", Span("? never", "warn"), "  No audit has run here: nothing is verified yet."),
        EMPTY,
        line("   ", Span("u", "key"), Span("  audit-full recomputes every claim on the real data", "dim")),
        line("   ", Span("p", "key"), Span("  acceptance checks the engine by 22 invariants", "dim")),
        line(Span("      both ask first, and need an armed console: a", "dim")),
    ]


class CheckScreen(MarkedList):
    """Shows what the list knows of the check that is open in it; the list goes on reading beneath."""

    place = "check"
    looks: ClassVar[bool] = False
    first_hints: ClassVar[tuple[str, ...]] = ("open", "trace", "copy command", "back")

    def __init__(self, audit: AuditScreen, check_id: str) -> None:
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

    def beside_word(self) -> str:
        return "check"

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
