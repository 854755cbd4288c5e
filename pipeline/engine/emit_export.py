"""Write RAG or SFT rows, and beside them the quarantine: every scored row is in one of the two."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from itertools import accumulate
from pathlib import Path

from pipeline.engine.chunk_cache import ChunkCache
from pipeline.engine.chunk_entries import CATEGORY_CODE, RAG, SFT, unpack_refusal
from pipeline.engine.chunk_index import DIGEST_BYTES, ChunkIndex, cut, numbers
from pipeline.engine.emit import (
    EmitTask,
    Emitted,
    MappedChunk,
    count_rows,
    discard_written,
    indexes,
    read_section,
    staged_path,
    standing_outputs,
)
from pipeline.engine.emit_near_duplicates import NearDuplicateSearch, evidence_reader, windows_by
from pipeline.engine.pass_rate import members, rate_of
from pipeline.engine.quarantine_lines import QuarantineLines
from pipeline.engine.row_decision import DecidedChunk, Held, RowDecision, held_rows
from pipeline.engine.row_parts import RowParts
from pipeline.engine.rows_writer import Output, RowsWriter, blocks
from pipeline.settings.model import ExportSettings
from pipeline.stages.personal import kinds_of

_SECTION_OF = {"rag": RAG, "sft": SFT}
_ACCEPTED = CATEGORY_CODE["accepted"]

_sha256 = hashlib.sha256


def emit_export(task: EmitTask, staging: Path, options: ExportSettings) -> Emitted:
    """Carry out a ``rag`` or ``sft`` task. Raises OSError.

    A third output of the task, where it has one, is the report on near-duplicates.
    """
    mode = options.near_duplicates_of(task.kind)
    with RowParts(
        ChunkCache(Path(task.workspace)), {chunk.number: chunk.key for chunk in task.chunks}
    ) as parts:
        search = NearDuplicateSearch(task.kind, mode, windows_by(evidence_reader(task, parts)))
        held = held_rows(
            _SECTION_OF[task.kind],
            task.decisions,
            lambda: (chunk for _, chunk, _ in _decided(task)),
            options,
            search.drops if mode != "off" else None,
        )
    export_relative, quarantine_relative, *reports = task.outputs
    reported = search.report_line() if reports else b""
    if task.same_chunks and task.previous:
        counted = _Export(task, held, reported)
        counted.decide_all(None)
        kept = standing_outputs(task, counted.plan.hexdigest())
        if kept is not None:
            return counted.emitted(kept)
    export = _Export(task, held, reported)
    writer = RowsWriter(staged_path(staging, export_relative), task.recorded_at)
    quarantine = RowsWriter(staged_path(staging, quarantine_relative), task.recorded_at)
    export.decide_all((writer, quarantine))
    plan = export.plan.hexdigest()
    written = [writer.finish(export_relative, plan), quarantine.finish(quarantine_relative, plan)]
    for relative in reports:
        report = RowsWriter(staged_path(staging, relative), task.recorded_at)
        report.add_lines([reported])
        written.append(report.finish(relative, plan))
    kept = standing_outputs(task, plan)
    if kept is not None:
        discard_written(written)
    return export.emitted(kept or written)


def _decided(task: EmitTask) -> Iterator[tuple[MappedChunk, DecidedChunk, Path]]:
    for chunk, index, rows_path in indexes(task):
        dropped: Set[int] = task.decisions.duplicate_lines.get(chunk.number, frozenset())
        yield chunk, DecidedChunk(chunk.number, chunk.stream, index, dropped), rows_path


class _Export:
    """The decisions on one export's rows, in order. ``plan`` digests what was decided.

    ``reported`` is what a report says beside them, b"" where there is none.
    """

    def __init__(self, task: EmitTask, held: Held, reported: bytes) -> None:
        self._task = task
        self._section = _SECTION_OF[task.kind]
        self._rows = RowDecision(self._section, task.decisions, held)
        self._personal: Counter[int] = Counter()
        self.plan = _sha256(reported)
        self.reasons: Counter[str] = Counter()
        self.by_stream: dict[str, Counter[str]] = {}

    def emitted(self, outputs: list[Output]) -> Emitted:
        personal: Counter[str] = Counter()
        for bits, count in self._personal.items():
            personal.update(dict.fromkeys(kinds_of(bits), count))
        return Emitted(self._task.kind, outputs, self.reasons, self.by_stream, personal)

    def decide_all(self, writers: tuple[RowsWriter, RowsWriter] | None) -> None:
        """Every row into the export or its quarantine; without ``writers`` they are only counted."""
        for chunk, decided, rows_path in _decided(self._task):
            refusals = self._rows.refusals(decided)
            rates = self._rates(decided.index, refusals) if self._section == SFT else []
            self._count(chunk, decided.index, refusals, rates)
            if writers is None:
                continue
            data = read_section(rows_path, decided.index, self._section)
            lengths = numbers("I", decided.index.lengths[self._section])
            is_taken = [refusal is None for refusal in refusals]
            if self._section == SFT:
                ends = accumulate(lengths)
                spans = [
                    (end - length, end)
                    for end, length, taken in zip(ends, lengths, is_taken, strict=True)
                    if taken
                ]
                writers[0].add_with(data, spans, rates)
            else:
                digests = decided.index.digests[self._section]
                writers[0].add(data, blocks(lengths, digests, is_taken))
            quarantine = QuarantineLines(self._task.kind, chunk.stream, chunk.source_file, decided.index)
            writers[1].add_lines(
                [quarantine.line(row, refusal) for row, refusal in enumerate(refusals) if refusal]
            )

    def _rates(self, index: ChunkIndex, refusals: Sequence[str | None]) -> list[bytes]:
        """What each exported row says of its task's pass rate."""
        pass_rates = self._task.decisions.pass_rates
        tasks, codes = cut(index.task_keys), numbers("b", index.categories)
        return [
            members(rate_of(pass_rates, tasks[row], is_accepted=codes[row] == _ACCEPTED))
            for row, refusal in enumerate(refusals)
            if refusal is None
        ]

    def _count(
        self, chunk: MappedChunk, index: ChunkIndex, refusals: Sequence[str | None], rates: Sequence[bytes]
    ) -> None:
        """What was decided into the plan and the counts."""
        section = self._section
        is_there = numbers("I", index.lengths[section])
        digests, of_rates = iter(cut(index.digests[section], DIGEST_BYTES)), iter(rates)
        personal = numbers("Q", index.personal)
        planned: list[bytes] = []
        exported = 0
        refused: Counter[str] = Counter()
        for row, refusal in enumerate(refusals):
            digest = next(digests) if is_there[row] else b""
            if refusal is None:
                exported += 1
                planned.append(digest)
                if section == SFT:
                    planned.append(next(of_rates))
                if personal[row]:
                    self._personal[personal[row]] += 1
            elif refusal:
                planned.append(f"{index.run_ids[row]}\0{refusal}\n".encode())
                refused[refusal] += 1
        self.plan.update(b"".join(planned))
        for refusal, count in refused.items():
            self.reasons[unpack_refusal(refusal)[0]] += count
        count_rows(self.by_stream, chunk.stream, exported=exported, quarantined=refused.total())
