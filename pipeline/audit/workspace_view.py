"""The workspace as the audit sees it: what several checks need is read once, when first asked for."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TypeVar

from pipeline.audit.claims import LastRun, last_run
from pipeline.audit.rows import EvidenceRow, FilledRow, QuarantinedRow, RowFile, ScoredRow, SkipRow
from pipeline.audit.scan import StreamScan, scan_sources
from pipeline.contracts import paths
from pipeline.platform.listable import check_listable
from pipeline.reading.journal_damage import broken
from pipeline.reading.journal_memory import Memory, read_memory
from pipeline.settings.digest import rows_digest
from pipeline.settings.model import Settings

Kind = TypeVar("Kind")


class Verdict:
    """What a scored row says of one run."""

    __slots__ = ("category", "stream", "task_id")

    def __init__(self, category: str, stream: str, task_id: str) -> None:
        self.category = category
        self.stream = stream
        self.task_id = task_id


class WorkspaceView:
    """Paths are shown relative to ``workspace``. Reading raises OSError or OperatorError."""

    def __init__(self, workspace: Path, settings: Settings) -> None:
        self.workspace = workspace
        self.settings = settings

    @cached_property
    def last_run(self) -> LastRun:
        return last_run(self.workspace)

    @cached_property
    def scans(self) -> dict[str, StreamScan]:
        """Every declared stream's sources, as far as the last run had read them."""
        return scan_sources(self.workspace, self.settings, self.last_run.read_sources())

    @cached_property
    def journal_memory(self) -> Memory:
        return read_memory(self.workspace)

    @cached_property
    def broken_journals(self) -> dict[str, str]:
        """By path, what is not as earlier audits read it."""
        return broken(self.workspace, self.journal_memory)

    @property
    def settings_are_those_of_the_run(self) -> bool:
        return self.last_run.settings_digest() in (None, rows_digest(self.settings))

    def evidence_files(self) -> list[RowFile[EvidenceRow]]:
        return self._files_of(paths.EVIDENCE, EvidenceRow)

    def filled_evidence_files(self) -> list[RowFile[FilledRow]]:
        return self._files_of(paths.EVIDENCE, FilledRow)

    def scored_files(self) -> list[RowFile[ScoredRow]]:
        return self._files_of(paths.SCORED_RUNS, ScoredRow)

    def skips(self) -> RowFile[SkipRow]:
        return self._file(paths.DISTILLATION_SKIPS, SkipRow)

    def scoring_skips(self) -> RowFile[SkipRow] | None:
        """What P3 could not score; None when the last run wrote none and an older one did."""
        receipt = self.last_run.receipts.get("score")
        outputs = (receipt.value or {}).get("outputs") if receipt is not None else None
        if isinstance(outputs, list) and not any(
            isinstance(claim, dict) and claim.get("path") == str(paths.SCORING_SKIPS) for claim in outputs
        ):
            return None
        return self._file(paths.SCORING_SKIPS, SkipRow)

    def quarantine(self, export: str) -> RowFile[QuarantinedRow]:
        return self._file(paths.QUARANTINE_FILES[export], QuarantinedRow)

    @cached_property
    def verdicts(self) -> dict[str, Verdict]:
        """run_id → its first verdict. Rows that are none are left out: P3 reports them."""
        found: dict[str, Verdict] = {}
        for file in self.scored_files():
            for _, row in file:
                found.setdefault(row.run_id, Verdict(row.category, row.stream, row.task_id))
        return found

    def files_under(self, folder: object) -> list[str]:
        """The ``*.jsonl`` files below a folder, at any depth, sorted. Raises OSError where none may look."""
        check_listable(self.workspace, f"{folder}/**/*.jsonl")
        root = self.workspace / str(folder)
        return sorted(path.relative_to(self.workspace).as_posix() for path in root.rglob("*.jsonl"))

    def _files_of(self, folder: object, kind: type[Kind]) -> list[RowFile[Kind]]:
        return [self._file(shown, kind) for shown in self.files_under(folder)]

    def _file(self, shown: object, kind: type[Kind]) -> RowFile[Kind]:
        return RowFile(self.workspace / str(shown), str(shown), kind)
