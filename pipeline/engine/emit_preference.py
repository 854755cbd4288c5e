"""Write the preference pairs that the reduce chose, and say of every other run why it has none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping
from pathlib import Path

from pydantic import ValidationError

from pipeline.contracts.categories import CATEGORIES
from pipeline.engine.candidates import Candidate, unpacked
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
    """Carry out the preference task. Raises OSError."""
    export_relative, quarantine_relative = task.outputs
    emitted = Emitted(task.kind, [])
    writer = RowsWriter(staged_path(staging, export_relative), task.recorded_at)
    used, refused = _write_pairs(task, options, writer, emitted)
    quarantine = RowsWriter(staged_path(staging, quarantine_relative), task.recorded_at)
    for chunk, index, _ in indexes(task):
        _write_quarantine(task, chunk, index, used, refused, quarantine, emitted)
    emitted.outputs = [
        standing_or_written(task, writer.finish(export_relative)),
        standing_or_written(task, quarantine.finish(quarantine_relative)),
    ]
    return emitted


def _write_pairs(
    task: EmitTask, options: ExportSettings, writer: RowsWriter, emitted: Emitted
) -> tuple[set[_Place], dict[_Place, str]]:
    """The places of the rows that are in a written pair, and the refusals of the other pairs' rows."""
    used: set[_Place] = set()
    refused: dict[_Place, str] = {}
    named = options.tokenizer
    tokens = (
        read_tokenizer(Path(task.workspace), named) if named is not None and task.decisions.pairs else None
    )
    asked = options if tokens is None else without_limits(options)
    streams = {chunk.number: chunk.stream for chunk in task.chunks}
    task_rates = task.decisions.pass_rates
    cache = ChunkCache(Path(task.workspace))
    with RowParts(cache, {chunk.number: chunk.key for chunk in task.chunks}) as parts:
        for records in task.decisions.pairs:
            (chosen, _), (rejected, _) = unpacked(b"".join(records))
            better, worse = _side(parts, chosen), _side(parts, rejected)
            task_key = task_identity(better.evidence["stream"], better.evidence["task_id"]).key
            # A pair is of two judged runs, so that its task is always counted.
            rate = rate_of(task_rates, task_key, is_accepted=True)
            row = pair_row(better, worse, asked, attempts=rate.attempts, passed=rate.passed)
            if tokens is not None and not isinstance(row, Refusal):
                row = tokens.counted(row, options.preference.max_tokens)
            if not isinstance(row, Refusal):
                try:
                    validate_preference(row)
                except ValidationError as error:
                    row = Refusal(QuarantineReason.SCHEMA_REFUSED, first_refusal(error))
            places = (chosen.place, rejected.place)
            if isinstance(row, Refusal):
                refused.update(dict.fromkeys(places, pack_refusal(*row)))
                continue
            writer.add_row(row)
            used.update(places)
            count_rows(emitted.by_stream, streams[chosen.chunk], exported=1)
    return used, refused


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
