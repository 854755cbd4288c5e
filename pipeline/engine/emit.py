"""Decisions and parts become staged output files.

Each output is one task for the executor, so that exports are written side by side; a task
reads the chunks' parts in order and never holds more than one chunk. An output whose rows are
those of the standing file is not written again.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.contracts import paths
from pipeline.engine.chunk_cache import ChunkCache
from pipeline.engine.chunk_index import (
    CATEGORIES,
    EVIDENCE,
    RAG,
    SCORED,
    SFT,
    ChunkIndex,
    LineEntry,
    RowEntry,
    unpack_refusal,
)
from pipeline.engine.reduce import Decisions, conflict_keys
from pipeline.engine.rows_writer import Output, RowsWriter
from pipeline.storage import disk

KEPT_SAFE = "The last outputs are in place and verified; finished chunks are kept."
SECTION_OF = {"evidence": EVIDENCE, "scored": SCORED, "rag": RAG, "sft": SFT}


@dataclass(frozen=True)
class MappedChunk:
    """A finished chunk in the plan of a run: its number, where it came from, its key."""

    number: int
    stream: str
    role: str
    source_file: str
    key: str


@dataclass(frozen=True)
class EmitTask:
    """One output (with its quarantine). ``chunks`` are those that can hold its rows, in order.

    ``previous`` holds the standing outputs that are whole, by relative path.
    """

    kind: str  # evidence, scored, skips, rag, sft
    workspace: str
    staging: str
    recorded_at: str
    outputs: tuple[str, ...]
    chunks: tuple[MappedChunk, ...]
    decisions: Decisions
    previous: dict[str, Output] = field(default_factory=dict)


@dataclass
class Emitted:
    """What a task wrote. ``reasons`` counts refusals; ``by_stream`` counts rows a stream."""

    kind: str
    outputs: list[Output]
    reasons: Counter[str] = field(default_factory=Counter)
    by_stream: dict[str, Counter[str]] = field(default_factory=dict)


def emit(task: EmitTask) -> Emitted:
    """Carry out one task. Raises StorageError when the disk refuses."""
    staging = Path(task.staging)
    try:
        if task.kind in ("evidence", "scored"):
            return _emit_section(task, staging)
        if task.kind == "skips":
            return _emit_skips(task, staging)
        return _emit_export(task, staging)
    except OSError as error:
        raise disk.storage_fault(error, staging / task.outputs[0], KEPT_SAFE) from error


def staged_path(staging: Path, relative: str) -> Path:
    """Where an output waits for the commit; its folder is made."""
    path = staging / relative
    disk.make_folder(path.parent)
    return path


def _indexes(task: EmitTask) -> Iterator[tuple[MappedChunk, ChunkIndex, Path]]:
    cache = ChunkCache(Path(task.workspace))
    for chunk in task.chunks:
        index = cache.load(chunk.key)
        if index is None:
            raise vanished(cache, chunk.key)
        yield chunk, index, cache.rows_path(chunk.key)


def vanished(cache: ChunkCache, key: str) -> FileNotFoundError:
    return FileNotFoundError(2, "a finished chunk vanished from the cache", str(cache.index_path(key)))


def _kept(task: EmitTask, plan_digest: str) -> list[Output] | None:
    """The standing outputs when they already hold what is to be written."""
    kept = []
    for relative in task.outputs:
        standing = task.previous.get(relative)
        if standing is None or standing.plan_digest != plan_digest:
            return None
        kept.append(standing)
    return kept


def _emit_section(task: EmitTask, staging: Path) -> Emitted:
    """Evidence or scored rows of one stream: whole chunks, but for duplicated lines."""
    section = SECTION_OF[task.kind]
    relative = task.outputs[0]
    if task.previous:
        plan = hashlib.sha256()
        for chunk, index, _ in _indexes(task):
            dropped = task.decisions.duplicate_lines.get(chunk.number, ())
            for line in index.lines:
                if line.line not in dropped:
                    for row in line.rows:
                        plan.update(index.digest_of_row(row, section))
        kept = _kept(task, plan.hexdigest())
        if kept:
            return Emitted(task.kind, kept)
    writer = RowsWriter(staged_path(staging, relative), task.recorded_at)
    for chunk, index, rows_path in _indexes(task):
        data = _read_section(rows_path, index, section)
        duplicates = task.decisions.duplicate_lines.get(chunk.number)
        position = 0
        pieces, digests = [], []
        for line in index.lines:
            keep = duplicates is None or line.line not in duplicates
            for row in line.rows:
                length = row.lengths[section]
                if keep and length:
                    digests.append(index.digest_of_row(row, section))
                    if duplicates is not None:
                        pieces.append(data[position : position + length])
                position += length
        writer.add(data if duplicates is None else b"".join(pieces), b"".join(digests))
    return Emitted(task.kind, [writer.finish(relative)])


def _read_section(rows_path: Path, index: ChunkIndex, section: int) -> bytes:
    descriptor = os.open(rows_path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.pread(descriptor, index.section_bytes[section], index.section_start(section))
    finally:
        os.close(descriptor)


def _emit_skips(task: EmitTask, staging: Path) -> Emitted:
    """Every line that gave no evidence, with its reason, in the order of the sources."""
    relative = task.outputs[0]
    writer = RowsWriter(staged_path(staging, relative), task.recorded_at)
    emitted = Emitted(task.kind, [])
    for chunk, index, _ in _indexes(task):
        duplicates = task.decisions.duplicate_lines.get(chunk.number, set())
        rows = [(skip.line, skip.byte_offset, skip.reason, skip.detail) for skip in index.skips]
        rows += [
            (line.line, line.byte_offset, "duplicate_line", "")
            for line in index.lines
            if line.line in duplicates
        ]
        for line_number, byte_offset, reason, detail in sorted(rows):
            writer.add_row(
                {
                    "schema_version": 1,
                    "stream": chunk.stream,
                    "file": chunk.source_file,
                    "line": line_number,
                    "byte_offset": byte_offset,
                    "reason": reason,
                    "detail": detail,
                }
            )
            emitted.reasons[reason] += 1
    written = writer.finish(relative)
    emitted.outputs = [standing_or_written(task, written)]
    return emitted


def standing_or_written(task: EmitTask, written: Output) -> Output:
    """The standing file, with its old stamps, when what was written holds the same rows."""
    standing = task.previous.get(written.relative)
    if standing is None or standing.rows_digest != written.rows_digest or written.staged is None:
        return written
    Path(written.staged).unlink()
    return standing


def _emit_export(task: EmitTask, staging: Path) -> Emitted:
    """RAG or SFT rows, and beside them the quarantine: every scored row is in one of the two."""
    section = SECTION_OF[task.kind]
    export_relative, quarantine_relative = task.outputs
    if task.previous:
        plan = hashlib.sha256()
        for _, _, row, refusal, digest in _decide_export(task, section):
            plan.update(digest if refusal is None else f"{row.run_id}\0{refusal}\n".encode())
        kept = _kept(task, plan.hexdigest())
        if kept:
            return _recount(task, section, kept)
    emitted = Emitted(task.kind, [])
    plan = hashlib.sha256()
    writer = RowsWriter(staged_path(staging, export_relative), task.recorded_at)
    quarantine = RowsWriter(staged_path(staging, quarantine_relative), task.recorded_at)
    current = -1
    data, position = b"", 0
    cache = ChunkCache(Path(task.workspace))
    for chunk, (index, line), row, refusal, digest in _decide_export(task, section, with_dropped=True):
        if chunk.number != current:
            current, position = chunk.number, 0
            data = _read_section(cache.rows_path(chunk.key), index, section)
        length = row.lengths[section]
        if refusal is None:
            plan.update(digest)
            writer.add(data[position : position + length], digest)
            emitted.by_stream.setdefault(chunk.stream, Counter())["exported"] += 1
        elif refusal != DROPPED:
            plan.update(f"{row.run_id}\0{refusal}\n".encode())
            quarantine.add_row(quarantined_row(task.kind, refusal, chunk, line, row))
            emitted.reasons[unpack_refusal(refusal)[0]] += 1
            emitted.by_stream.setdefault(chunk.stream, Counter())["quarantined"] += 1
        position += length
    digest_of_plan = plan.hexdigest()
    emitted.outputs = [
        writer.finish(export_relative, digest_of_plan),
        quarantine.finish(quarantine_relative, digest_of_plan),
    ]
    return emitted


DROPPED = "duplicate_line"


def _decide_export(
    task: EmitTask, section: int, *, with_dropped: bool = False
) -> Iterator[tuple[MappedChunk, tuple[ChunkIndex, LineEntry], RowEntry, str | None, bytes]]:
    """Every row in order with its refusal (None: exported) and its digest in the section."""
    seen_samples: set[bytes] = set()
    conflicting = task.decisions.conflicting
    for chunk, index, _ in _indexes(task):
        dropped = task.decisions.duplicate_lines.get(chunk.number, ())
        for line in index.lines:
            if line.line in dropped:
                if with_dropped:
                    for row in line.rows:
                        yield chunk, (index, line), row, DROPPED, b""
                continue
            for row in line.rows:
                refusal: str | None = row.rag_refusal if section == RAG else row.sft_refusal
                digest = b""
                if not refusal:
                    sample = row.rag_sample if section == RAG else row.sft_sample
                    if any(key in conflicting for key in conflict_keys(row)):
                        refusal = "conflicting_verdict"
                    elif sample in seen_samples:
                        refusal = "duplicate_sample"
                    else:
                        seen_samples.add(sample)
                        digest = index.digest_of_row(row, section)
                        refusal = None
                yield chunk, (index, line), row, refusal, digest


def _recount(task: EmitTask, section: int, kept: list[Output]) -> Emitted:
    emitted = Emitted(task.kind, kept)
    for chunk, _, _, refusal, _ in _decide_export(task, section):
        counter = emitted.by_stream.setdefault(chunk.stream, Counter())
        if refusal is None:
            counter["exported"] += 1
        else:
            counter["quarantined"] += 1
            emitted.reasons[unpack_refusal(refusal)[0]] += 1
    return emitted


def quarantined_row(
    export: str, refusal: str, chunk: MappedChunk, line: LineEntry, row: RowEntry
) -> dict[str, Any]:
    """The row that says why an exporter refused a run; it holds no text of the run."""
    reason, detail = unpack_refusal(refusal)
    return {
        "schema_version": 1,
        "export": export,
        "reason": reason,
        "detail": detail,
        "run_id": row.run_id,
        "stream": chunk.stream,
        "task_id": row.task_id,
        "category": CATEGORIES[row.category],
        "provenance": provenance_of(chunk, line, row),
    }


def provenance_of(chunk: MappedChunk, line: LineEntry, row: RowEntry) -> dict[str, Any]:
    return {
        "source_file": line.source_file or chunk.source_file,
        "line": line.line,
        "byte_offset": line.byte_offset,
        "sig_hash": line.sig_hash.hex(),
        "part": row.part,
    }


def export_outputs(kind: str) -> tuple[str, ...]:
    """The export file and its quarantine file, relative to the workspace."""
    return {
        "rag": (str(paths.RAG_EXPORT), str(paths.RAG_QUARANTINE)),
        "sft": (str(paths.SFT_EXPORT), str(paths.SFT_QUARANTINE)),
        "preference": (str(paths.PREFERENCE_EXPORT), str(paths.PREFERENCE_QUARANTINE)),
    }[kind]
