"""Decisions and parts become staged output files.

Each output is one task for the executor, so that exports are written side by side; a task
reads the chunks' parts in order and never holds more than one chunk. An output whose rows are
those of the standing file is not written again; one that grew begins with the standing bytes.
"""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from pipeline.contracts import paths
from pipeline.engine.chunk_cache import ChunkCache
from pipeline.engine.chunk_entries import EVIDENCE, SCORED
from pipeline.engine.chunk_index import ChunkIndex, numbers
from pipeline.engine.output import Output
from pipeline.engine.reduce import Decisions
from pipeline.engine.rows_writer import Block, RowsWriter, blocks
from pipeline.engine.standing_rows import StandingRows
from pipeline.platform import disk
from pipeline.settings.model import Settings

KEPT_SAFE = "The last outputs are in place and verified; finished chunks are kept."
_SECTION_OF = {"evidence": EVIDENCE, "scored": SCORED}


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

    kind: str  # evidence, scored, skips, rag, sft, preference, decontamination
    workspace: str
    staging: str
    scratch: str
    recorded_at: str
    outputs: tuple[str, ...]
    chunks: tuple[MappedChunk, ...]
    decisions: Decisions
    previous: dict[str, Output] = field(default_factory=dict)


@dataclass
class Emitted:
    """What a task wrote. ``reasons`` counts refusals; ``by_stream`` counts rows a stream.

    ``personal`` counts the runs in exported rows that hold personal data, by its kind.
    """

    kind: str
    outputs: list[Output]
    reasons: Counter[str] = field(default_factory=Counter)
    by_stream: dict[str, Counter[str]] = field(default_factory=dict)
    personal: Counter[str] = field(default_factory=Counter)


def staged_path(staging: Path, relative: str) -> Path:
    """Where an output waits for the commit; its folder is made."""
    path = staging / relative
    disk.make_folder(path.parent)
    return path


def scratch_file(task: EmitTask, name: str) -> Path:
    """A place for what the task's memory does not hold."""
    return Path(task.scratch) / name


def indexes(task: EmitTask) -> Iterator[tuple[MappedChunk, ChunkIndex, Path]]:
    """Each chunk of the task with its index and the file of its rows. Raises FileNotFoundError."""
    cache = ChunkCache(Path(task.workspace))
    for chunk in task.chunks:
        index = cache.load(chunk.key)
        if index is None:
            raise FileNotFoundError(
                errno.ENOENT, "a finished chunk vanished from the cache", str(cache.index_path(chunk.key))
            )
        yield chunk, index, cache.rows_path(chunk.key)


def writer_of(task: EmitTask, relative: str) -> RowsWriter:
    """The writer of one of the task's outputs, over what stands of it. Raises OSError."""
    known = task.previous.get(relative)
    standing = None if known is None else StandingRows(Path(task.workspace), known)
    return RowsWriter(staged_path(Path(task.staging), relative), task.recorded_at, standing)


def emit_section(task: EmitTask) -> Emitted:
    """Evidence or scored rows of one stream: whole chunks, but for duplicated lines. Raises OSError."""
    section = _SECTION_OF[task.kind]
    relative = task.outputs[0]
    writer = writer_of(task, relative)
    for chunk, index, rows_path in indexes(task):
        writer.add(partial(read_section, rows_path, index, section), _blocks(task, chunk, index, section))
    return Emitted(task.kind, [writer.finish(relative)])


def _blocks(task: EmitTask, chunk: MappedChunk, index: ChunkIndex, section: int) -> list[Block]:
    """The evidence or scored rows that are written: all, but for those of duplicated lines."""
    dropped = task.decisions.dropped_lines(chunk.number)
    if not dropped:
        return [Block(0, index.section_bytes[section], index.digests[section])]
    is_kept = [line not in dropped for line in index.lines_of_rows()]
    return blocks(numbers("I", index.lengths[section]), index.digests[section], is_kept)


def read_section(rows_path: Path, index: ChunkIndex, section: int) -> bytes:
    """One section of a finished chunk. Raises OSError."""
    descriptor = disk.open_plain(rows_path)
    try:
        return os.pread(descriptor, index.section_bytes[section], index.section_start(section))
    finally:
        os.close(descriptor)


def emit_skips(task: EmitTask) -> Emitted:
    """Every line that gave no evidence, with its reason, in the order of the sources. Raises OSError."""
    relative = task.outputs[0]
    writer = writer_of(task, relative)
    emitted = Emitted(task.kind, [])
    for chunk, index, _ in indexes(task):
        duplicates = task.decisions.dropped_lines(chunk.number)
        rows = [
            (skip.order, skip.source_file, skip.line, skip.byte_offset, skip.reason, skip.detail)
            for skip in index.skips
        ]
        rows += [
            (index.origin(line).order, *place, "duplicate_line", "")
            for line in duplicates
            for place in index.places(line)
        ]
        for _, source_file, line_number, byte_offset, reason, detail in sorted(rows):
            writer.add_row(
                {
                    "schema_version": 1,
                    "stream": chunk.stream,
                    "file": source_file or chunk.source_file,
                    "line": line_number,
                    "byte_offset": byte_offset,
                    "reason": reason,
                    "detail": detail,
                }
            )
            emitted.reasons[reason] += 1
    emitted.outputs = [writer.finish(relative)]
    return emitted


def is_checked_for_evaluation_sets(workspace: Path, settings: Settings) -> bool:
    """Whether a report on evaluation sets is due: one is declared, or an older report would say so."""
    return bool(settings.evaluations) or (workspace / paths.DECONTAMINATION).exists()


def reports_near_duplicates(workspace: Path, settings: Settings) -> frozenset[str]:
    """The exports whose report on near-duplicates is due: they are looked for, or an older one says so."""
    return frozenset(
        export
        for export, report in paths.NEAR_DUPLICATE_REPORTS.items()
        if settings.export.near_duplicates_of(export) != "off" or (workspace / report).exists()
    )


def emit_decontamination(task: EmitTask) -> Emitted:
    """The report on evaluation sets: one JSON object on one line. Raises OSError."""
    relative = task.outputs[0]
    writer = writer_of(task, relative)
    writer.add_row(task.decisions.decontamination)
    return Emitted(task.kind, [writer.finish(relative)])


def count_rows(by_stream: dict[str, Counter[str]], stream: str, **counts: int) -> None:
    """Add to the counts of a stream; what did not happen is not mentioned."""
    happened = {name: count for name, count in counts.items() if count}
    if happened:
        by_stream.setdefault(stream, Counter()).update(happened)


def export_outputs(kind: str, near_duplicates: Container[str] = paths.EXPORT_FILES) -> tuple[str, ...]:
    """The export file and its quarantine file, relative to the workspace, and its report on near-duplicates.

    ``near_duplicates`` are the exports that have such a report.
    """
    outputs = str(paths.EXPORT_FILES[kind]), str(paths.QUARANTINE_FILES[kind])
    return (*outputs, str(paths.NEAR_DUPLICATE_REPORTS[kind])) if kind in near_duplicates else outputs
