"""Write RAG or SFT rows, and beside them the quarantine: every scored row is in one of the two."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import orjson

from pipeline.engine.chunk_cache import ChunkCache
from pipeline.engine.chunk_index import CATEGORY_CODE, RAG, SFT, ChunkIndex, unpack_refusal
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
from pipeline.engine.emit_near_duplicates import NearDuplicateSearch, evidence_reader
from pipeline.engine.pass_rate import members, rate_of
from pipeline.engine.quarantine_lines import quarantine_line
from pipeline.engine.row_decision import Held, PlacedRow, RowDecision, held_rows
from pipeline.engine.row_parts import RowParts
from pipeline.engine.rows_writer import Output, RowsWriter
from pipeline.settings.model import ExportSettings
from pipeline.stages.personal import kinds_of

_SECTION_OF = {"rag": RAG, "sft": SFT}
# Where an exported row's digest lies in ``RowEntry.digests``: behind those of evidence and
# verdict, which every row has; the SFT row's is the last.
_DIGEST_IN = {RAG: slice(64, 96), SFT: slice(-32, None)}

_ACCEPTED = CATEGORY_CODE["accepted"]

_sha256 = hashlib.sha256


def emit_export(task: EmitTask, staging: Path, options: ExportSettings) -> Emitted:
    """Carry out a ``rag`` or ``sft`` task. Raises OSError.

    A third output of the task, where it has one, is the report on near-duplicates.
    """
    mode = options.sft.near_duplicates if task.kind == "sft" else "off"
    with RowParts(
        ChunkCache(Path(task.workspace)), {chunk.number: chunk.key for chunk in task.chunks}
    ) as parts:
        search = NearDuplicateSearch(mode, evidence_reader(task, parts))
        held = held_rows(
            _SECTION_OF[task.kind],
            task.decisions,
            lambda: _entries(task),
            options,
            search.drops if mode != "off" else None,
        )
    export_relative, quarantine_relative, *reports = task.outputs
    reported = orjson.dumps(search.report(), option=orjson.OPT_APPEND_NEWLINE) if reports else b""
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


def _entries(task: EmitTask) -> Iterator[PlacedRow]:
    for chunk, index, _ in indexes(task):
        dropped = task.decisions.duplicate_lines.get(chunk.number, ())
        ordinal = -1
        for number, line in enumerate(index.lines):
            for row in line.rows:
                ordinal += 1
                if number not in dropped:
                    yield (chunk.number, ordinal), chunk.stream, row


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
        for chunk, index, rows_path in indexes(self._task):
            spans, digests, rates, refused = self._decide(chunk, index, with_lines=writers is not None)
            if writers is None:
                continue
            data = read_section(rows_path, index, self._section)
            if rates:
                writers[0].add_with(data, spans, rates)
            else:
                writers[0].add(data, spans, digests)
            writers[1].add_lines(refused)

    def _decide(
        self, chunk: MappedChunk, index: ChunkIndex, *, with_lines: bool
    ) -> tuple[list[tuple[int, int]], list[bytes], list[bytes], list[bytes]]:
        """Where the exported rows lie in the section, their digests, what SFT rows say of their
        task's pass rate, and the quarantine's lines."""
        section, digest_in = self._section, _DIGEST_IN[self._section]
        pass_rates = self._task.decisions.pass_rates
        rates: list[bytes] = []
        dropped = self._task.decisions.duplicate_lines.get(chunk.number, ())
        place = (chunk.stream, chunk.source_file)
        spans, digests, lines, planned = [], [], [], []
        refused: Counter[str] = Counter()
        start = end = 0
        ordinal = -1
        for number, line in enumerate(index.lines):
            is_dropped = number in dropped
            for row in line.rows:
                ordinal += 1
                start, end = end, end + row.lengths[section]
                refusal = None if is_dropped else self._rows.refusal(row, (chunk.number, ordinal))
                if not is_dropped and refusal is None:
                    if row.personal:
                        self._personal[row.personal] += 1
                    digest = row.digests[digest_in]
                    digests.append(digest)
                    planned.append(digest)
                    spans.append((start, end))
                    if section == SFT:
                        is_accepted = row.category == _ACCEPTED
                        rates.append(members(rate_of(pass_rates, row.task_key, is_accepted=is_accepted)))
                        planned.append(rates[-1])
                elif refusal is not None:
                    planned.append(f"{row.run_id}\0{refusal}\n".encode())
                    refused[refusal] += 1
                    if with_lines:
                        lines.append(quarantine_line(self._task.kind, refusal, place, line, row))
        self.plan.update(b"".join(planned))
        for refusal, count in refused.items():
            self.reasons[unpack_refusal(refusal)[0]] += count
        count_rows(self.by_stream, chunk.stream, exported=len(digests), quarantined=refused.total())
        return spans, digests, rates, lines
