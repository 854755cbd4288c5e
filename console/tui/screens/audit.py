"""Audit: every check of audit-full and acceptance, failing ones first, live while they run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from console.presentation.check_list import (
    check_line,
    column_line,
    grouped,
    run_line,
    runnable,
    summary_words,
)
from console.presentation.spans import EMPTY, Line, Span, line
from console.reading.check_runs import CheckRun, acceptance_reader, audit_reader
from console.reading.engine_code import EngineCode
from console.reading.report_basis import other_code
from console.tui.screens.marked_list import MarkedList, Row, grouped_rows
from pipeline.contracts.status import NEVER, Origin
from pipeline.contracts.untrusted import visible
from pipeline.reading import staleness
from pipeline.reading.check_report import Check


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
        """What changed since makes a verdict stale: for acceptance, on its fixture, only code."""
        why = ""
        if run.word == "done":
            audit = next(phase.origin for phase in self.console.state.phases if phase.id == "P8")
            of_data = audit.why if run.command == "audit-full" and audit.as_of == as_of else ""
            why = of_data or other_code(run.engine_digest, self._engine)
        freshness = staleness.of_verdict(as_of, self.console.now(), inputs_changed=bool(why))
        return Origin(run.command, as_of, freshness, why)

    def head_lines(self, width: int) -> list[Line]:
        now = self.console.now()
        lines = [run_line(run, self._origin(run, run.as_of), now, width) for run in self.runs]
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

    def text_to_copy(self) -> str | None:
        return visible(self.marked or "") or None

    def command_to_copy(self) -> str | None:
        check = self.find(self.marked or "")
        return runnable(check.reproduce, self.console.state.workspace) or None if check else None


def _nothing() -> list[Line]:
    return [
        EMPTY,
        line(" ", Span("? never", "warn"), "  Nothing was audited here, so nothing here is called sound."),
        EMPTY,
        line("   ", Span("u", "key"), Span("  audit-full recomputes every claim on the real data", "dim")),
        line("   ", Span("p", "key"), Span("  acceptance checks the engine by 22 invariants", "dim")),
        line(Span("      both ask first, and need an armed console: a", "dim")),
    ]
