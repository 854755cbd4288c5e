"""Write the preference pairs that the reduce chose, and say of every other run why it has none."""

from __future__ import annotations

import os
from collections import Counter, OrderedDict
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError

from pipeline.engine.chunk_cache import ChunkCache
from pipeline.engine.chunk_index import pack_refusal, unpack_refusal
from pipeline.engine.emit import (
    KEPT_SAFE,
    EmitTask,
    Emitted,
    quarantined_row,
    staged_path,
    standing_or_written,
    vanished,
)
from pipeline.engine.reduce import RowPlace
from pipeline.engine.rows_writer import RowsWriter
from pipeline.schemas.validators import first_refusal, validate_preference
from pipeline.settings.model import ExportSettings
from pipeline.stages.export_preference import preference_row
from pipeline.stages.refusals import QuarantineReason, Refusal
from pipeline.storage import disk

# Pairs jump between chunks; this many parts stay open.
_OPEN_PARTS = 64


class _Parts:
    """Reads single rows out of the chunks' parts."""

    def __init__(self, cache: ChunkCache, keys: dict[int, str]) -> None:
        self._cache = cache
        self._keys = keys
        self._open: OrderedDict[int, int] = OrderedDict()

    def row(self, chunk: int, offset: int, length: int) -> dict[str, Any]:
        descriptor = self._open.get(chunk)
        if descriptor is None:
            if len(self._open) >= _OPEN_PARTS:
                os.close(self._open.popitem(last=False)[1])
            path = self._cache.rows_path(self._keys[chunk])
            descriptor = self._open[chunk] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._open.move_to_end(chunk)
        row: dict[str, Any] = orjson.loads(os.pread(descriptor, length, offset))
        return row

    def both(self, place: RowPlace) -> tuple[dict[str, Any], dict[str, Any]]:
        """The evidence row and the scored row of one run."""
        return (
            self.row(place.chunk, place.evidence_offset, place.evidence_length),
            self.row(place.chunk, place.scored_offset, place.scored_length),
        )

    def close(self) -> None:
        for descriptor in self._open.values():
            os.close(descriptor)
        self._open.clear()


def emit_preference(task: EmitTask, options: ExportSettings) -> Emitted:
    """Carry out the preference task. Raises StorageError when the disk refuses."""
    staging = Path(task.staging)
    try:
        return _emit(task, options, staging)
    except OSError as error:
        raise disk.storage_fault(error, staging / task.outputs[0], KEPT_SAFE) from error


def _emit(task: EmitTask, options: ExportSettings, staging: Path) -> Emitted:
    export_relative, quarantine_relative = task.outputs
    emitted = Emitted(task.kind, [])
    refused: dict[tuple[int, int], str] = {}
    used: set[tuple[int, int]] = set()
    streams = {chunk.number: chunk.stream for chunk in task.chunks}
    cache = ChunkCache(Path(task.workspace))
    parts = _Parts(cache, {chunk.number: chunk.key for chunk in task.chunks})
    writer = RowsWriter(staged_path(staging, export_relative), task.recorded_at)
    try:
        for chosen, rejected, _ in task.decisions.pairs:
            row = preference_row(*parts.both(chosen), *parts.both(rejected), options)
            if not isinstance(row, Refusal):
                try:
                    validate_preference(row)
                except ValidationError as error:
                    row = Refusal(QuarantineReason.SCHEMA_REFUSED, first_refusal(error))
            places = ((chosen.chunk, chosen.row), (rejected.chunk, rejected.row))
            if isinstance(row, Refusal):
                refused.update(dict.fromkeys(places, pack_refusal(*row)))
                continue
            writer.add_row(row)
            used.update(places)
            emitted.by_stream.setdefault(streams[chosen.chunk], Counter())["exported"] += 1
    finally:
        parts.close()
    quarantine = RowsWriter(staged_path(staging, quarantine_relative), task.recorded_at)
    for chunk in task.chunks:
        index = cache.load(chunk.key)
        if index is None:
            raise vanished(cache, chunk.key)
        dropped = task.decisions.duplicate_lines.get(chunk.number, ())
        ordinal = -1
        for line in index.lines:
            for row_entry in line.rows:
                ordinal += 1
                place = (chunk.number, ordinal)
                if line.line in dropped:
                    continue
                counter = emitted.by_stream.setdefault(chunk.stream, Counter())
                if place in used:
                    counter["used"] += 1
                    continue
                refusal = (
                    refused.get(place)
                    or row_entry.preference_refusal
                    or task.decisions.unpaired.get(place, str(QuarantineReason.NO_COUNTERPART))
                )
                quarantine.add_row(quarantined_row("preference", refusal, chunk, line, row_entry))
                emitted.reasons[unpack_refusal(refusal)[0]] += 1
                counter["quarantined"] += 1
    emitted.outputs = [
        standing_or_written(task, writer.finish(export_relative)),
        standing_or_written(task, quarantine.finish(quarantine_relative)),
    ]
    return emitted
