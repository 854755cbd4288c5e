"""Write the preference pairs that the reduce chose, and say of every other run why it has none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipeline.contracts.categories import CATEGORIES
from pipeline.engine.candidates import Candidate, place_of
from pipeline.engine.chunk_cache import ChunkCache
from pipeline.engine.chunk_entries import pack_refusal, unpack_refusal
from pipeline.engine.chunk_index import ChunkIndex, numbers
from pipeline.engine.emit import (
    EmitTask,
    Emitted,
    MappedChunk,
    count_rows,
    indexes,
    staged_path,
    standing_or_written,
)
from pipeline.engine.emit_near_duplicates import NearDuplicateSearch
from pipeline.engine.likeness import load_likeness
from pipeline.engine.pair_limits import alike_pairs, pairs_to_hold, runs_of, said_by_place
from pipeline.engine.pass_rate import rate_of
from pipeline.engine.quarantine_lines import QuarantineLines
from pipeline.engine.row_parts import RowParts
from pipeline.engine.rows_writer import RowsWriter
from pipeline.engine.tokenizer import read_tokenizer, without_limits
from pipeline.schemas.validators import first_refusal, validate_preference
from pipeline.settings.model import ExportSettings
from pipeline.stages.export_preference import Side, pair_row
from pipeline.stages.personal import kinds_of
from pipeline.stages.refusals import QuarantineReason, Refusal
from pipeline.stages.row_identity import task_identity
from pipeline.stages.splits import TRAIN, VALIDATION

# What most runs end with, so the reduce does not tell it run by run.
_ALONE = str(QuarantineReason.NO_COUNTERPART)

_Place = tuple[int, int]  # chunk and row


def _side(parts: RowParts, run: Candidate) -> Side:
    """One side of a pair: the facts that chose it, and its evidence row."""
    return Side(
        evidence=parts.row(run.chunk, run.offset, run.length),
        category=CATEGORIES[run.category],
        score=run.score,
        response_key=run.response_key,
        loose_response_key=run.loose_response_key if any(run.loose_response_key) else b"",
        prompt_key=run.prompt_key,
        turn_keys=run.turn_keys if run.is_conversation else None,
        tokens=run.tokens,
        split=VALIDATION if run.is_validation else TRAIN,
    )


def emit_preference(task: EmitTask, staging: Path, options: ExportSettings) -> Emitted:
    """Carry out the preference task. Raises OSError or SettingsError.

    A third output of the task, where it has one, is the report on near-duplicates.
    """
    export_relative, quarantine_relative, *reports = task.outputs
    emitted = Emitted(task.kind, [])
    writer = RowsWriter(staged_path(staging, export_relative), task.recorded_at)
    used, refused, reported = _write_pairs(task, options, writer, emitted)
    quarantine = RowsWriter(staged_path(staging, quarantine_relative), task.recorded_at)
    for chunk, index, _ in indexes(task):
        _write_quarantine(task, chunk, index, used, refused, quarantine, emitted)
    emitted.outputs = [
        standing_or_written(task, writer.finish(export_relative)),
        standing_or_written(task, quarantine.finish(quarantine_relative)),
    ]
    for relative in reports:
        report = RowsWriter(staged_path(staging, relative), task.recorded_at)
        report.add_lines([reported])
        emitted.outputs.append(standing_or_written(task, report.finish(relative)))
    return emitted


class _PairRows:
    """Makes the row of a pair; ``parts`` are those of the task's chunks."""

    def __init__(self, task: EmitTask, options: ExportSettings, parts: RowParts) -> None:
        named = options.tokenizer
        self._tokens = (
            read_tokenizer(Path(task.workspace), named)
            if named is not None and task.decisions.pairs
            else None
        )
        self._options = options if self._tokens is None else without_limits(options)
        self._max_tokens = options.preference.max_tokens
        self._rates = task.decisions.pass_rates
        self._parts = parts

    def row(self, pair: tuple[bytes, bytes]) -> dict[str, Any] | Refusal:
        better, worse = (_side(self._parts, run) for run in runs_of(pair))
        task_key = task_identity(better.evidence["stream"], better.evidence["task_id"]).key
        # A pair is of two judged runs, so that its task is always counted.
        rate = rate_of(self._rates, task_key, is_accepted=True)
        row = pair_row(better, worse, self._options, attempts=rate.attempts, passed=rate.passed)
        if self._tokens is not None and not isinstance(row, Refusal):
            row = self._tokens.counted(row, self._max_tokens)
        if not isinstance(row, Refusal):
            try:
                validate_preference(row)
            except ValidationError as error:
                row = Refusal(QuarantineReason.SCHEMA_REFUSED, first_refusal(error))
        return row


def _write_pairs(
    task: EmitTask, options: ExportSettings, writer: RowsWriter, emitted: Emitted
) -> tuple[set[_Place], dict[_Place, str], bytes]:
    """The places of the rows that are in a written pair, the refusals of the other pairs' rows, and what
    is reported of near-duplicates."""
    used: set[_Place] = set()
    refused: dict[_Place, str] = {}
    streams = {chunk.number: chunk.stream for chunk in task.chunks}
    pairs = task.decisions.pairs
    cache = ChunkCache(Path(task.workspace))
    with RowParts(cache, {chunk.number: chunk.key for chunk in task.chunks}) as parts:
        rows = _PairRows(task, options, parts)
        search = NearDuplicateSearch(
            task.kind, options.preference.near_duplicates, said_by_place(pairs, rows.row)
        )
        alike: Mapping[_Place, str] = {}
        likeness = load_likeness(options) if options.preference.near_duplicates != "off" else None
        if likeness is not None:
            alike = alike_pairs(pairs, streams, rows.row, likeness, search.drops)
        held = pairs_to_hold(pairs, streams, options.preference, alike)
        for number, pair in enumerate(pairs):
            places = (place_of(pair[0]), place_of(pair[1]))
            if number in held:
                refused.update(dict.fromkeys(places, held[number]))
                continue
            row = rows.row(pair)
            if isinstance(row, Refusal):
                refused.update(dict.fromkeys(places, pack_refusal(*row)))
                continue
            writer.add_row(row)
            used.update(places)
            count_rows(emitted.by_stream, streams[places[0][0]], exported=1)
    return used, refused, search.report_line()


def _write_quarantine(
    task: EmitTask,
    chunk: MappedChunk,
    index: ChunkIndex,
    used: Container[_Place],
    refused: Mapping[_Place, str],
    quarantine: RowsWriter,
    emitted: Emitted,
) -> None:
    dropped = task.decisions.duplicate_lines.get(chunk.number, ())
    unpaired = task.decisions.unpaired
    of_itself = numbers("I", index.preference_refusals)
    kinds = numbers("Q", index.personal)
    quarantined = QuarantineLines("preference", chunk.stream, chunk.source_file, index)
    reasons: Counter[str] = Counter()
    lines: list[bytes] = []
    in_pairs = 0
    personal: Counter[int] = Counter()
    for row in index.rows_without(dropped):
        place = (chunk.number, row)
        if place in used:
            in_pairs += 1
            personal[kinds[row]] += 1
            continue
        refusal = refused.get(place) or index.refusals[of_itself[row]] or unpaired.get(place, _ALONE)
        lines.append(quarantined.line(row, refusal))
        reasons[refusal] += 1
    quarantine.add_lines(lines)
    for bits, count in personal.items():
        emitted.personal.update(dict.fromkeys(kinds_of(bits), count))
    for refusal, count in reasons.items():
        emitted.reasons[unpack_refusal(refusal)[0]] += count
    count_rows(emitted.by_stream, chunk.stream, used=in_pairs, quarantined=len(lines))
