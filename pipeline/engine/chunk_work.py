"""One chunk through the stages: the function that workers run.

Pure but for reading the chunk's bytes and writing its cache entry: the same stream, file,
position, bytes, look-ups, settings and engine give the same rows, wherever it runs.
"""

from __future__ import annotations

import gc
import hashlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from pipeline.contracts.skips import LineFault
from pipeline.engine.allocator import give_back
from pipeline.engine.chunk_entries import LineEntry, Sections, SkipEntry
from pipeline.engine.chunk_index import ChunkIndex
from pipeline.engine.chunks import Chunk, read_range, unreadable_source
from pipeline.engine.evidence_builder import EvidenceBuilder
from pipeline.engine.long_rows import too_long
from pipeline.engine.work_context import ContextName, WorkContext, obtain
from pipeline.storage.archives import Ending, open_regular
from pipeline.storage.source_lines import MAX_LINE_BYTES, SourceLine, iter_lines, lines_of, read_line

if TYPE_CHECKING:
    from pipeline.engine.row_builder import RowBuilder

# A chunk is longer where a line is: of that line no more is held than shows that it is too long.
_WHOLE_BYTES = 2 * MAX_LINE_BYTES


@dataclass(frozen=True)
class ChunkTask:
    """``path`` is where the bytes are (a spool file for a compressed source).

    ``depth`` is ``all``, or ``evidence`` when P2 runs alone: it must work while P3 or P4 is broken.
    """

    context: ContextName
    chunk_context: str
    depth: str
    stream: str
    role: str  # source or lookup
    source_file: str
    path: str
    chunk: Chunk
    ending: Ending = Ending.OPEN
    use_cache: bool = True


@dataclass(frozen=True)
class ChunkResult:
    key: str
    processed: bool
    counts: dict[str, int]


def work(task: ChunkTask) -> ChunkResult:
    """Map one chunk, or find it done. Raises InputError, StorageError or IntegrityError."""
    context = obtain(task.context)
    lines, key = _read(task)
    return done_or_mapped(context, key, lambda: _map(context, task, lines), use_cache=task.use_cache)


def done_or_mapped(
    context: WorkContext, key: str, map_it: Callable[[], tuple[ChunkIndex, Sections]], *, use_cache: bool
) -> ChunkResult:
    """What the cache has of ``key``, or what ``map_it`` makes, kept there."""
    if use_cache:
        known = context.cache.load(key)
        if known is not None:
            return ChunkResult(key, processed=False, counts=known.counts)
    index, sections = map_it()
    context.cache.store(key, index, sections)
    counts = index.counts
    del index, sections
    gc.collect(0)
    give_back()
    return ChunkResult(key, processed=True, counts=counts)


def _read(task: ChunkTask) -> tuple[list[tuple[SourceLine, bytes]], str]:
    """The chunk's lines with the sha256 of each, and the key that names their work.

    The lines' digests and offsets pin every byte but the line ends, which the length pins.
    """
    chunk, path = task.chunk, Path(task.path)
    sha256 = hashlib.sha256
    with open_regular(path) as file:
        try:
            lines = [(line, sha256(line.raw).digest()) for line in _lines(file, path, task)]
        except OSError as error:
            raise unreadable_source(path, error) from error
    name = sha256(
        f"{task.chunk_context}\0{task.stream}\0{task.role}\0{task.source_file}\0"
        f"{chunk.start}\0{chunk.end}\0{chunk.first_line}\0{chunk.is_last}\0{task.ending}\0".encode()
    )
    name.update(array("Q", [line.byte_offset for line, _ in lines]).tobytes())
    name.update(b"".join(digest for _, digest in lines))
    return lines, name.hexdigest()


def _lines(file: BinaryIO, path: Path, task: ChunkTask) -> Iterator[SourceLine]:
    chunk, ending = task.chunk, task.ending
    size = chunk.end - chunk.start
    if size <= _WHOLE_BYTES:
        data = read_range(file.fileno(), path, chunk.start, chunk.end)
        return iter_lines(data, chunk.start, chunk.first_line, at_end_of_file=chunk.is_last, ending=ending)
    file.seek(chunk.start)
    return lines_of(
        file,
        ending,
        size,
        start=chunk.start,
        first_line=chunk.first_line,
        at_end_of_file=chunk.is_last,
    )


def _map(
    context: WorkContext, task: ChunkTask, lines: list[tuple[SourceLine, bytes]]
) -> tuple[ChunkIndex, Sections]:
    builder = builder_of(context, task.stream, task.depth)
    entries: list[LineEntry] = []
    skips: list[SkipEntry] = []
    map_line = None if task.role == "lookup" else context.compiled(task.stream).map_line
    lookup = context.lookup(task.stream) if task.role == "lookup" else None
    uses_lookups = task.role != "lookup" and bool(context.compiled(task.stream).lookup_names)
    for line, digest in lines:
        outcome: LineFault | list[dict[str, Any]] | None
        value = read_line(line)
        if isinstance(value, LineFault):
            outcome = value
        elif map_line is not None:
            outcome = map_line(
                value,
                source_file=task.source_file,
                line=line.line,
                byte_offset=line.byte_offset,
                sig_hash=digest.hex(),
            )
        else:
            outcome = lookup.check(value) if lookup is not None else None
        if isinstance(outcome, list):
            outcome = too_long(outcome, len(line.raw), uses_lookups=uses_lookups) or outcome
        if isinstance(outcome, LineFault):
            skips.append(SkipEntry(line.line, line.byte_offset, str(outcome.reason), outcome.detail))
            continue
        rows = [builder.add(evidence) for evidence in outcome or ()]
        entries.append(LineEntry(line.line, line.byte_offset, digest, rows))
    counts = builder.categories + builder.noted
    counts["lines"] = len(lines)
    counts["skipped"] = len(skips)
    counts["evidence"] = builder.rows
    sections = builder.sections()
    index = ChunkIndex.made_of(
        sections, lines_read=len(lines), lines=entries, skips=skips, counts=dict(counts)
    )
    return index, sections


def builder_of(context: WorkContext, name: str, depth: str) -> EvidenceBuilder | RowBuilder:
    """What makes everything of the evidence rows of stream ``name``, as far as ``depth`` goes."""
    if depth == "evidence":
        return EvidenceBuilder()
    from pipeline.engine.row_builder import RowBuilder

    stream = context.stream(name)
    return RowBuilder(
        context.settings,
        stream,
        context.evaluation,
        context.render_check,
        context.tokens,
        context.likeness,
    )


def digest_source(path: str, size: int) -> str:
    """Hex sha256 of the first ``size`` bytes: the claim of a receipt on a source file.

    Raises InputError.
    """
    return digests_of_source(path, (size,))[0]


def digests_of_source(path: str, sizes: Sequence[int]) -> list[str]:
    """Hex sha256 of the first bytes of a file, for each of the rising ``sizes``, in one pass.

    Raises InputError.
    """
    hasher = hashlib.sha256()
    source = Path(path)
    found: list[str] = []
    position = 0
    with open_regular(source) as file:
        for size in sizes:
            while position < size:
                try:
                    block = read_range(file.fileno(), source, position, min(size, position + (1 << 20)))
                except OSError as error:
                    raise unreadable_source(source, error) from error
                hasher.update(block)
                position += len(block)
            found.append(hasher.hexdigest())
    return found
