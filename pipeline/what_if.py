"""What other thresholds would change: which rows move, what the exports gain and lose.

The pure stages run on the written evidence twice, with the thresholds in force and with the
others, through the same reduce as a run; nothing is written and no lock is taken. A row whose
verdict is the same both times is built once.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipeline.contracts import paths
from pipeline.contracts.faults import SettingsError
from pipeline.engine.candidates import place_of
from pipeline.engine.chunk_entries import RAG, SFT, LineEntry, RowEntry
from pipeline.engine.chunk_index import ChunkIndex
from pipeline.engine.emit_near_duplicates import NearDuplicateSearch, windows_by
from pipeline.engine.likeness import Likeness, load_likeness
from pipeline.engine.pair_limits import alike_pairs, pairs_to_hold, said_by_place
from pipeline.engine.reduce import Decisions, Reducer, pair_options
from pipeline.engine.render_check import RenderCheck, load_render_check
from pipeline.engine.row_builder import RowBuilder
from pipeline.engine.row_decision import DecidedChunk, RowDecision, held_rows
from pipeline.engine.tokenizer import TokenCounter, load_tokenizer, without_limits
from pipeline.engine.written_rows import as_evidence, no_rows_yet, without_stamp, written_rows
from pipeline.evaluation.sets import EvaluationIndex, load_sets
from pipeline.platform import disk
from pipeline.schemas.validators import first_refusal, validate_preference
from pipeline.settings.model import ScoringSettings, Settings, StreamSettings
from pipeline.stages.export_preference import preference_row
from pipeline.stages.refusals import QuarantineReason, Refusal
from pipeline.stages.score import UnscorableError, score

# Rows that are built and reduced together; it bounds the bytes that wait in memory.
_CHUNK_ROWS = 1024


@dataclass(frozen=True)
class Move:
    """One row whose category would change."""

    run_id: str
    stream: str
    task_id: str
    before: str
    after: str
    score: float


@dataclass(frozen=True)
class ExportChange:
    """Rows now and then. ``gained`` and ``lost`` are run ids; of a pair, ``chosen > rejected``."""

    export: str
    now: int
    then: int
    gained: tuple[str, ...]
    lost: tuple[str, ...]


@dataclass
class WhatIf:
    """``left_out`` counts evidence rows that no scorer takes; ``rows`` are the others, by stream."""

    now: ScoringSettings
    then: ScoringSettings
    rows: Counter[str] = field(default_factory=Counter)
    moves: list[Move] = field(default_factory=list)
    exports: list[ExportChange] = field(default_factory=list)
    left_out: int = 0


def changed_thresholds(scoring: ScoringSettings, changes: Iterable[str]) -> ScoringSettings:
    """``partial_at=0.7`` (several, or with commas) on top of the settings. Raises SettingsError."""
    values: dict[str, Any] = scoring.model_dump()
    for change in (part.strip() for text in changes for part in text.split(",")):
        name, given, number = change.partition("=")
        if not given or name not in values:
            raise _bad(change, f"name a threshold and its value: {', '.join(f'{key}=0.7' for key in values)}")
        try:
            values[name] = json.loads(number)
        except (ValueError, RecursionError) as error:
            raise _bad(change, f"{name} is a value as in distill.toml") from error
    try:
        return ScoringSettings.model_validate(values)
    except ValidationError as error:
        raise _bad(", ".join(changes), error.errors()[0]["msg"].removeprefix("Value error, ")) from error


def _bad(value: str, why: str) -> SettingsError:
    return SettingsError.of(
        code="bad_what_if",
        what_happened=f"--what-if {value} cannot be used: {why}.",
        kept_safe="Nothing was read or written.",
        do_next="For example: distill score --what-if partial_at=0.7",
        value=value,
    )


class _Side:
    """Everything under one set of thresholds."""

    def __init__(
        self,
        settings: Settings,
        evaluation: EvaluationIndex,
        render_check: RenderCheck | None,
        tokens: TokenCounter | None,
        likeness: Likeness | None,
    ) -> None:
        self.render_check = render_check
        self.tokens = tokens
        self.likeness = likeness
        self.settings = settings
        self.evaluation = evaluation
        self.reducer = Reducer(pair_options(settings.export), evaluation)
        self.chunks: list[tuple[str, ChunkIndex]] = []

    def builder(self, stream: StreamSettings) -> RowBuilder:
        return RowBuilder(
            self.settings, stream, self.evaluation, self.render_check, self.tokens, self.likeness
        )

    def add(self, stream: str, entries: list[RowEntry]) -> None:
        # Written evidence has no duplicate lines left, so that a line's identity is its own number.
        lines = [
            LineEntry(number, 0, number.to_bytes(32, "big"), [entry]) for number, entry in enumerate(entries)
        ]
        index = ChunkIndex.made_of([b""] * 4, lines_read=len(lines), lines=lines, skips=[], counts={})
        self.reducer.add(len(self.chunks), stream, "evidence", index)
        self.chunks.append((stream, index))


def what_if(workspace: Path, settings: Settings, then: ScoringSettings) -> WhatIf:
    """Compare. Raises InputError when there is no evidence to look at."""
    result = WhatIf(settings.scoring, then)
    evaluation = load_sets(workspace, settings)
    render_check = load_render_check(workspace, settings)
    shared = (evaluation, render_check, load_tokenizer(workspace, settings), load_likeness(settings.export))
    now_side = _Side(settings, *shared)
    then_side = _Side(settings.model_copy(update={"scoring": then}), *shared)
    places: list[list[tuple[Path, int]]] = []
    streams = [stream for stream in settings.streams if stream.role == "source"]
    if not any((workspace / paths.evidence_file(stream.name)).exists() for stream in streams):
        raise no_rows_yet("evidence", workspace / paths.EVIDENCE, "distill materialize")
    for stream in streams:
        path = workspace / paths.evidence_file(stream.name)
        for batch in _batches(path, result):
            _both_ways(stream, path, batch, now_side, then_side, places, result)
    now_decided, then_decided = now_side.reducer.finish(), then_side.reducer.finish()
    with _Evidence(places) as evidence:
        for name, section in (("rag", RAG), ("sft", SFT)):
            result.exports.append(
                _change(
                    name,
                    list(_exported(now_side, now_decided, section, evidence)),
                    list(_exported(then_side, then_decided, section, evidence)),
                )
            )
        pairs = [
            list(_pairs(side, decided, evidence))
            for side, decided in ((now_side, now_decided), (then_side, then_decided))
        ]
    result.exports.append(_change("preference", *pairs))
    return result


def _batches(path: Path, result: WhatIf) -> Iterator[list[tuple[dict[str, Any], int]]]:
    """Evidence rows with their byte offsets. A repeated run id counts once, as in P3."""
    batch: list[tuple[dict[str, Any], int]] = []
    seen: set[str] = set()
    for written in written_rows(path):
        row = written.row
        if row is None or not isinstance(row.get("run_id"), str) or row["run_id"] in seen:
            result.left_out += 1
            continue
        seen.add(row["run_id"])
        batch.append((row, written.byte_offset))
        if len(batch) >= _CHUNK_ROWS:
            yield batch
            batch = []
    if batch:
        yield batch


def _both_ways(
    stream: StreamSettings,
    path: Path,
    batch: list[tuple[dict[str, Any], int]],
    now_side: _Side,
    then_side: _Side,
    places: list[list[tuple[Path, int]]],
    result: WhatIf,
) -> None:
    builders = (now_side.builder(stream), then_side.builder(stream))
    now_entries: list[RowEntry] = []
    then_entries: list[RowEntry] = []
    of_chunk: list[tuple[Path, int]] = []
    for written, offset in batch:
        try:
            row = as_evidence(written)
            before, after = score(row, result.now), score(row, result.then)
            now_entry = builders[0].add(row, before)
            then_entry = now_entry if after == before else builders[1].add(row, after)
        except (UnscorableError, KeyError, TypeError, AttributeError, ValueError):
            # A row that was edited by hand until it is no evidence any more.
            result.left_out += 1
            continue
        now_entries.append(now_entry)
        then_entries.append(then_entry)
        of_chunk.append((path, offset))
        result.rows[stream.name] += 1
        if after["category"] != before["category"]:
            result.moves.append(
                Move(
                    row["run_id"], stream.name, row["task_id"],
                    before["category"], after["category"], after["score"],
                )
            )  # fmt: skip
    now_side.add(stream.name, now_entries)
    then_side.add(stream.name, then_entries)
    places.append(of_chunk)


def _exported(side: _Side, decided: Decisions, section: int, evidence: _Evidence) -> Iterator[str]:
    """The run ids that an export takes."""

    def chunks() -> Iterator[DecidedChunk]:
        for number, (stream, index) in enumerate(side.chunks):
            yield DecidedChunk(number, stream, index, frozenset())

    export = "rag" if section == RAG else "sft"
    mode = side.settings.export.near_duplicates_of(export)
    search = NearDuplicateSearch(export, mode, windows_by(lambda _: lambda place: evidence.at(*place)))
    drops = search.drops if mode != "off" else None
    held = held_rows(section, decided, chunks, side.settings.export, drops)
    decision = RowDecision(section, decided, held)
    for chunk in chunks():
        for run_id, refusal in zip(chunk.index.run_ids, decision.refusals(chunk), strict=True):
            if refusal is None:
                yield run_id


def _pairs(side: _Side, decided: Decisions, evidence: _Evidence) -> Iterator[str]:
    options, thresholds = side.settings.export, side.settings.scoring
    if side.tokens is not None:
        options = without_limits(options)

    def row_of(pair: tuple[bytes, bytes]) -> dict[str, Any] | Refusal:
        chosen, rejected = (evidence.at(*place_of(record)) for record in pair)
        row = preference_row(
            chosen, score(chosen, thresholds), rejected, score(rejected, thresholds), options
        )
        if isinstance(row, Refusal):
            return row
        try:
            validate_preference(row)
        except ValidationError as error:
            return Refusal(QuarantineReason.SCHEMA_REFUSED, first_refusal(error))
        return row

    pairs, limits = decided.pairs, options.preference
    streams = {number: stream for number, (stream, _) in enumerate(side.chunks)}
    search = NearDuplicateSearch("preference", limits.near_duplicates, said_by_place(pairs, row_of))
    alike: Mapping[tuple[int, int], str] = {}
    if side.likeness is not None and limits.near_duplicates != "off":
        alike = alike_pairs(pairs, streams, row_of, side.likeness, search.drops)
    held = pairs_to_hold(pairs, streams, limits, alike)
    for pair in pairs:
        row = row_of(pair) if place_of(pair[0]) not in held else None
        if isinstance(row, dict):
            yield f"{row['chosen_run_id']} > {row['rejected_run_id']}"


class _Evidence:
    """Reads single rows again, for the few that stand in pairs or may be near-duplicates."""

    def __init__(self, places: list[list[tuple[Path, int]]]) -> None:
        self._places = places
        self._files: dict[Path, Any] = {}

    def __enter__(self) -> _Evidence:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()

    def at(self, chunk: int, row_in_chunk: int) -> dict[str, Any]:
        path, offset = self._places[chunk][row_in_chunk]
        if path not in self._files:
            self._files[path] = disk.open_to_read(path)
        file = self._files[path]
        file.seek(offset, os.SEEK_SET)
        row = without_stamp(file.readline())
        if row is None:
            raise ValueError(f"{path} changed while it was read")
        return as_evidence(row)


def _change(export: str, now: list[str], then: list[str]) -> ExportChange:
    before, after = set(now), set(then)
    return ExportChange(
        export,
        len(now),
        len(then),
        tuple(one for one in then if one not in before),
        tuple(one for one in now if one not in after),
    )
