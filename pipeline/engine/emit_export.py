"""Write RAG or SFT rows, and beside them the quarantine: every scored row is in one of the two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import accumulate
from pathlib import Path

from pipeline.engine.chunk_cache import ChunkCache
from pipeline.engine.chunk_entries import CATEGORY_CODE, RAG, SFT, unpack_refusal
from pipeline.engine.chunk_index import ChunkIndex, numbers
from pipeline.engine.emit import (
    EmitTask,
    Emitted,
    MappedChunk,
    count_rows,
    indexes,
    read_section,
    scratch_file,
    writer_of,
)
from pipeline.engine.emit_near_duplicates import NearDuplicateSearch, evidence_reader, windows_by
from pipeline.engine.output import Output
from pipeline.engine.pass_rate import members, rate_of
from pipeline.engine.quarantine_lines import quarantine_lines
from pipeline.engine.row_decision import NO_ROW, DecidedChunk, Held, RowDecision, held_rows
from pipeline.engine.row_parts import RowParts
from pipeline.engine.rows_writer import RowsWriter, blocks
from pipeline.settings.model import ExportSettings
from pipeline.stages.personal import kinds_of

_SECTION_OF = {"rag": RAG, "sft": SFT}
_ACCEPTED = CATEGORY_CODE["accepted"]


def emit_export(task: EmitTask, options: ExportSettings) -> Emitted:
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
            scratch_file(task, f"tasks-of-{task.kind}"),
        )
    export_relative, quarantine_relative, *reports = task.outputs
    reported = search.report_line() if reports else b""
    export = _Export(task, held)
    writer, quarantine = writer_of(task, export_relative), writer_of(task, quarantine_relative)
    export.decide_all(writer, quarantine)
    written = [writer.finish(export_relative), quarantine.finish(quarantine_relative)]
    for relative in reports:
        report = writer_of(task, relative)
        report.add_lines([reported])
        written.append(report.finish(relative))
    return export.emitted(written)


def _decided(task: EmitTask) -> Iterator[tuple[MappedChunk, DecidedChunk, Path]]:
    for chunk, index, rows_path in indexes(task):
        dropped = task.decisions.dropped_lines(chunk.number)
        yield chunk, DecidedChunk(chunk.number, chunk.stream, index, dropped), rows_path


class _Export:
    """The decisions on one export's rows, in order."""

    def __init__(self, task: EmitTask, held: Held) -> None:
        self._task = task
        self._section = _SECTION_OF[task.kind]
        self._rows = RowDecision(self._section, task.decisions, held)
        self._personal: Counter[int] = Counter()
        self.reasons: Counter[str] = Counter()
        self.by_stream: dict[str, Counter[str]] = {}

    def emitted(self, outputs: list[Output]) -> Emitted:
        personal: Counter[str] = Counter()
        for bits, count in self._personal.items():
            personal.update(dict.fromkeys(kinds_of(bits), count))
        return Emitted(self._task.kind, outputs, self.reasons, self.by_stream, personal)

    def decide_all(self, writer: RowsWriter, refused: RowsWriter) -> None:
        """Every row into the export or its quarantine."""
        for chunk, decided, rows_path in _decided(self._task):
            index = decided.index
            refusals = self._rows.refusals(decided)
            self._count(chunk, index, refusals)
            read = partial(read_section, rows_path, index, self._section)
            lengths = numbers("I", index.lengths[self._section])
            is_taken = [refusal is None for refusal in refusals]
            if self._section == SFT:
                ends = accumulate(lengths)
                spans = [
                    (end - length, end)
                    for end, length, taken in zip(ends, lengths, is_taken, strict=True)
                    if taken
                ]
                writer.add_with(read(), spans, self._rates(chunk.number, index, refusals))
            else:
                writer.add(read, blocks(lengths, index.digests[self._section], is_taken))
            rows = [(row, refusal) for row, refusal in enumerate(refusals) if refusal]
            refused.add_lines(quarantine_lines(self._task.kind, chunk.stream, chunk.source_file, index, rows))

    def _rates(self, chunk: int, index: ChunkIndex, refusals: Sequence[str | None]) -> list[bytes]:
        """What each exported row says of its task's pass rate."""
        pass_rates = self._task.decisions.pass_rates
        codes = numbers("b", index.categories)
        return [
            members(rate_of(pass_rates, (chunk, row), is_accepted=codes[row] == _ACCEPTED))
            for row, refusal in enumerate(refusals)
            if refusal is None
        ]

    def _count(self, chunk: MappedChunk, index: ChunkIndex, refusals: Sequence[str | None]) -> None:
        counts = Counter(refusals)
        exported = counts.pop(None, 0)
        del counts[NO_ROW]
        for refusal, count in counts.items():
            self.reasons[unpack_refusal(str(refusal))[0]] += count
        if any(index.personal):
            kinds = numbers("Q", index.personal)
            self._personal.update(
                kinds[row] for row, refusal in enumerate(refusals) if refusal is None and kinds[row]
            )
        count_rows(self.by_stream, chunk.stream, exported=exported, quarantined=counts.total())
