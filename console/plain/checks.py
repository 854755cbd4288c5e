"""Audit, skips and release at the plain console: what their screens show, as numbered lists."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from console.live.daemon_work import in_thread
from console.plain.numbered import NUMBER, Numbered, Rows
from console.plain.status import WIDTH, texts
from console.presentation.checks import check_line, check_lines, column_line, grouped, run_lines
from console.presentation.release import gates_of, outdated, release_rows, release_state
from console.presentation.row_list import by_reason, example_line, reason_line, stream_line, total_line
from console.presentation.spans import Line, line
from console.reading.check_runs import acceptance_reader, audit_reader, release_reader
from console.reading.engine_code import EngineCode
from console.reading.report_basis import origin_of_run
from console.reading.skip_tally import SkipTally
from pipeline.contracts import paths
from pipeline.contracts.shell_words import joined
from pipeline.contracts.status import Freshness, Origin
from pipeline.contracts.untrusted import visible
from pipeline.reading.report_files import Notes, read_object

if TYPE_CHECKING:
    from console.reading.check_runs import CheckRun
    from pipeline.reading.check_report import Check

_LIST_WIDTH = WIDTH - NUMBER
# A check's columns; the last one is blank, so that eighty columns hold it with its number.
_CHECK_WIDTH = _LIST_WIDTH + 2
_GO_BACK = "empty goes back"


class PlainChecks(Numbered):
    async def audit(self) -> None:
        """Every check of audit-full and acceptance, failing ones first; a number prints one."""
        root = self._root()
        readers, code = (audit_reader(root), acceptance_reader(root)), EngineCode(root)
        while True:
            runs = await in_thread(lambda: tuple(reader.read() for reader in readers))
            engine = await in_thread(code.digest)
            origins = {
                check.id: self._origin(run, check.as_of, engine) for run in runs for check in run.checks
            }
            now = self.now()
            head = [
                spans
                for run in runs
                for spans in run_lines(run, self._origin(run, run.as_of, engine), now, WIDTH)
            ]
            known = {check.id: check for run in runs for check in run.checks}
            if not known:
                head.append(line("   no check has run here: start audit.start or acceptance.start"))
            chosen = await self.choose(head, self._check_rows(known, origins), f"a check; {_GO_BACK}")
            if chosen is None:
                return
            check, workspace = known[chosen], self.state().workspace
            self.tell(texts(check_lines(check, origins[chosen], workspace, self.now(), WIDTH)))

    def _check_rows(self, checks: dict[str, Check], origins: dict[str, Origin]) -> Rows:
        rows: list[tuple[str | None, Line]] = []
        for group in grouped(checks.values()):
            rows.append((None, line(f" {group.title}")))
            for check in group.items:
                freshness = origins[check.id].freshness
                rows.append((check.id, check_line(check, freshness, self.now(), _CHECK_WIDTH)))
        return [(None, column_line(_CHECK_WIDTH)), *rows] if rows else rows

    def _origin(self, run: CheckRun, as_of: float | None, engine: str | None) -> Origin:
        return origin_of_run(run, as_of, self.state().phases, engine, self.now())

    async def release(self) -> None:
        """The six gates, the tag command, what would void it; a number prints a gate."""
        root = self._root()
        reader = release_reader(root)
        while True:
            freeze = await in_thread(reader.read)
            manifest = await in_thread(lambda: read_object(root, paths.RELEASE_MANIFEST, Notes()) or {})
            state, now = self.state(), self.now()
            released = next(phase.origin for phase in state.phases if phase.id == "P9")
            why = outdated(freeze, released, state.firewall.state, now)
            head = release_state(freeze, state.git, now, WIDTH, why)
            rows = release_rows(freeze, manifest, state.git, now, _LIST_WIDTH, why)
            gates = gates_of(freeze)
            shown = [(key if key and gates.get(key) else None, spans) for key, spans in rows]
            chosen = await self.choose(head, shown, f"a gate; {_GO_BACK}")
            gate = gates.get(chosen or "")
            if gate is None:
                return
            as_reported = Origin(as_of=gate.as_of, freshness=Freshness.FRESH)
            self.tell(texts(check_lines(gate, as_reported, state.workspace, now, WIDTH)))

    async def skips(self) -> None:
        """Why source lines were left out, with examples; a number says how one is traced."""
        tally = SkipTally(self._root())
        self.say("counting the skips")
        await in_thread(lambda: tally.count(Event()))
        groups = tuple(tally.groups.values())
        if not groups:
            self.say(_no_skips(tally))
            return
        head = [total_line(tally.rows, tally.garbage, 1.0, self.state().rows.total.lines, WIDTH)]
        most = max(group.rows for group in groups)
        rows: list[tuple[str | None, Line]] = []
        for reason, found in by_reason(groups):
            rows.append((None, reason_line(reason, found, tally.rows, WIDTH)))
            for group in found:
                rows.append((None, stream_line(group, most, 40)))
                for example in group.examples:
                    key = f"{example.file}:{example.line}" if example.line is not None else None
                    rows.append((key, example_line(example, _LIST_WIDTH)))
        while (chosen := await self.choose(head, rows, f"an example to trace; {_GO_BACK}")) is not None:
            self.say(f" {joined(('distill', '-C', self.state().workspace, 'lineage', chosen))}")

    def _root(self) -> Path:
        return Path(self.state().workspace)


def _no_skips(tally: SkipTally) -> str:
    if tally.trouble:
        return f" ? unknown  {visible(tally.trouble)}"
    return " ? never  no run has written skips here" if tally.is_missing else " the last run skipped no line"
