"""Write the preference pairs that the reduce chose, and say of every other run why it has none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from pipeline.contracts.categories import CATEGORIES
from pipeline.engine.candidates import Candidate, place_of
from pipeline.engine.chunk_cache import ChunkCache
from pipeline.engine.chunk_entries import pack_refusal, unpack_refusal
from pipeline.engine.chunk_index import ChunkIndex, numbers
from pipeline.engine.code_digest import engine_digest
from pipeline.engine.emit import EmitTask, Emitted, MappedChunk, count_rows, indexes, writer_of
from pipeline.engine.emit_near_duplicates import NearDuplicateSearch
from pipeline.engine.ledger import KEY_BYTES, MadeRows
from pipeline.engine.likeness import load_likeness
from pipeline.engine.made_rows import MadeBefore, NoteMade
from pipeline.engine.pair_limits import alike_pairs, pairs_to_hold, runs_of, said_by_place
from pipeline.engine.pass_rate import PassRate, rate_of
from pipeline.engine.quarantine_lines import quarantine_lines
from pipeline.engine.row_marks import Place, RowMarks
from pipeline.engine.row_parts import RowParts
from pipeline.engine.rows_writer import RowsWriter
from pipeline.engine.tokenizer import read_tokenizer, without_limits
from pipeline.schemas.validators import refusal_of_preference
from pipeline.settings.model import ExportSettings
from pipeline.stages.export_preference import Side, pair_row
from pipeline.stages.personal import kinds_of
from pipeline.stages.refusals import QuarantineReason, Refusal
from pipeline.stages.splits import TRAIN, VALIDATION
from pipeline.storage.digests import digest_of

# What most runs end with, so the reduce does not tell it run by run.
_ALONE = str(QuarantineReason.NO_COUNTERPART)

_LINES_AT_ONCE = 64


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


def emit_preference(task: EmitTask, options: ExportSettings) -> Emitted:
    """Carry out the preference task. Raises OSError or SettingsError.

    A third output of the task, where it has one, is the report on near-duplicates.
    """
    export_relative, quarantine_relative, *reports = task.outputs
    emitted = Emitted(task.kind, [])
    writer = writer_of(task, export_relative)
    written = _write_pairs(task, options, writer, emitted)
    quarantine = writer_of(task, quarantine_relative)
    for chunk, index, _ in indexes(task):
        _write_quarantine(task, chunk, index, written.used, written.refused, quarantine, emitted)
    emitted.outputs = [writer.finish(export_relative, written.made), quarantine.finish(quarantine_relative)]
    for relative in reports:
        report = writer_of(task, relative)
        report.add_lines([written.reported])
        emitted.outputs.append(report.finish(relative))
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
        made = self.made(pair)
        return made if isinstance(made, Refusal) else made[0]

    def made(self, pair: tuple[bytes, bytes]) -> tuple[dict[str, Any], bytes] | Refusal:
        """The row, and its line."""
        better, worse = (_side(self._parts, run) for run in runs_of(pair))
        # A pair is of two judged runs, so that its task is always counted.
        rate = rate_of(self._rates, place_of(pair[0]), is_accepted=True)
        row = pair_row(better, worse, self._options, attempts=rate.attempts, passed=rate.passed)
        if self._tokens is not None and not isinstance(row, Refusal):
            row = self._tokens.counted(row, self._max_tokens)
        if isinstance(row, Refusal):
            return row
        line = orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
        wrong = refusal_of_preference(row, line)
        return (row, line) if wrong is None else Refusal(QuarantineReason.SCHEMA_REFUSED, wrong)


class _Written(NamedTuple):
    """The places of the rows that are in a written pair, the refusals of the other pairs' rows, what each
    pair was made from, and what is reported of near-duplicates."""

    used: RowMarks[bool]
    refused: RowMarks[str]
    made: MadeRows
    reported: bytes


def _write_pairs(task: EmitTask, options: ExportSettings, writer: RowsWriter, emitted: Emitted) -> _Written:
    streams = {chunk.number: chunk.stream for chunk in task.chunks}
    keys = {chunk.number: chunk.key for chunk in task.chunks}
    pairs = task.decisions.pairs
    workspace = Path(task.workspace)
    # Chunk keys cover what a row is made from but for what the settings of all exports say.
    context = digest_of([engine_digest(), options.model_dump(mode="json")])
    noted = NoteMade(context)
    used: RowMarks[bool] = RowMarks()
    refused: RowMarks[str] = RowMarks()
    exported: Counter[str] = Counter()
    with (
        RowParts(ChunkCache(workspace), keys) as parts,
        MadeBefore(workspace, writer.standing, context) as before,
    ):
        rows = _PairRows(task, options, parts)
        search = NearDuplicateSearch(
            task.kind, options.preference.near_duplicates, said_by_place(pairs, rows.row)
        )
        alike: Mapping[Place, str] = {}
        likeness = load_likeness(options) if options.preference.near_duplicates != "off" else None
        if likeness is not None:
            alike = alike_pairs(pairs, streams, rows.row, likeness, search.drops)
        held = pairs_to_hold(pairs, streams, options.preference, alike)
        lines: list[bytes] = []
        digests: list[bytes] = []
        for pair in pairs:
            places = (place_of(pair[0]), place_of(pair[1]))
            if (refusal_of_others := held.at(places[0])) is not None:
                for place in places:
                    refused[place] = refusal_of_others
                continue
            # A pair is of two judged runs, so that its task is always counted.
            rate = rate_of(task.decisions.pass_rates, places[0], is_accepted=True)
            key = _key_of([(keys[chunk], row) for chunk, row in places], rate)
            line, digest = before.row(key) or (None, b"")
            refusal = before.refused.get(key, "")
            if line is None and not refusal:
                made = rows.made(pair)
                if isinstance(made, Refusal):
                    refusal = pack_refusal(*made)
                else:
                    line = made[1]
                    digest = sha256(line).digest()
            if line is None:
                for place in places:
                    refused[place] = refusal
                noted.refused(key, refusal)
                continue
            lines.append(line)
            digests.append(digest)
            noted.row(key, line)
            for place in places:
                used[place] = True
            exported[streams[places[0][0]]] += 1
            if len(lines) == _LINES_AT_ONCE:
                writer.add_lines(lines, digests)
                lines, digests = [], []
        writer.add_lines(lines, digests)
    for stream, count in exported.items():
        count_rows(emitted.by_stream, stream, exported=count)
    return _Written(used, refused, noted.noted(), search.report_line())


def _key_of(rows: Sequence[tuple[str, int]], rate: PassRate) -> bytes:
    """Names what a pair is made from: two rows of chunks that are named by all that they hold."""
    return sha256(repr((rows, *rate)).encode()).digest()[:KEY_BYTES]


def _write_quarantine(
    task: EmitTask,
    chunk: MappedChunk,
    index: ChunkIndex,
    used: RowMarks[bool],
    refused: RowMarks[str],
    quarantine: RowsWriter,
    emitted: Emitted,
) -> None:
    dropped = task.decisions.dropped_lines(chunk.number)
    unpaired = task.decisions.unpaired
    of_itself = numbers("I", index.preference_refusals)
    kinds = numbers("Q", index.personal)
    rows: list[tuple[int, str]] = []
    in_pairs = 0
    personal: Counter[int] = Counter()
    for row in index.rows_without(dropped):
        place = (chunk.number, row)
        if place in used:
            in_pairs += 1
            personal[kinds[row]] += 1
            continue
        refusal = refused.at(place) or index.refusals[of_itself[row]] or unpaired.at(place) or _ALONE
        rows.append((row, refusal))
    quarantine.add_lines(quarantine_lines("preference", chunk.stream, chunk.source_file, index, rows))
    for bits, count in personal.items():
        emitted.personal.update(dict.fromkeys(kinds_of(bits), count))
    for refusal, count in Counter(refusal for _, refusal in rows).items():
        emitted.reasons[unpack_refusal(refusal)[0]] += count
    count_rows(emitted.by_stream, chunk.stream, used=in_pairs, quarantined=len(rows))
