"""Which files a run reads, how they are cut, and which chunks are known from the last run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.contracts import paths
from pipeline.contracts.faults import Fault, InputError
from pipeline.engine.chunk_work import ChunkTask
from pipeline.engine.chunks import plan_chunks, unreadable_source
from pipeline.engine.run_state import FileStamp, RunState, SourceState
from pipeline.engine.work_context import ContextName, WorkContext
from pipeline.platform import disk
from pipeline.settings.model import StreamSettings
from pipeline.storage.source_lines import open_source
from pipeline.streams.files import SourceFile, stream_files

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


@dataclass
class PlannedSource:
    """One file of a stream. ``bytes_path`` holds its bytes, decompressed where needed.

    ``keys`` fills with the chunks' keys in order; ``known`` is the last run's record of the
    file when its stamp and everything else that touches its rows are unchanged.
    """

    stream: str
    role: str
    file: SourceFile
    stamp: FileStamp
    chunk_context: str
    bytes_path: Path
    size: int
    known: SourceState | None
    keys: list[str] = field(default_factory=list)
    rows: int = 0
    sha256: str = ""

    def remembered(self) -> SourceState:
        """What the next run will know of it."""
        return SourceState(
            stream=self.stream,
            relative=self.file.relative,
            stamp=self.stamp,
            context=self.chunk_context,
            bytes=self.size,
            rows=self.rows,
            sha256=self.sha256,
            keys=tuple(self.keys),
        )


def state_key(stream: str, relative: str) -> str:
    return f"{stream}\0{relative}"


def plan_sources(
    context: WorkContext, state: RunState, depth: str, only: str | None = None
) -> Iterator[PlannedSource]:
    """Every source file: streams in declared order, files sorted. Raises InputError.

    With ``only``, every other stream is taken as the last run left it, whatever its files say now.
    """
    for stream in context.settings.streams:
        if only is not None and stream.name != only:
            yield from _as_last_run_left_it(context, state, stream)
            continue
        files = stream_files(context.workspace, context.settings, stream)
        if not files:
            continue
        chunk_context = context.chunk_context(stream.name, depth)
        for file in files:
            try:
                stamp = FileStamp.of(file.path)
            except OSError as error:
                raise unreadable_source(file.path, error) from error
            known = state.sources.get(state_key(stream.name, file.relative))
            unchanged = known is not None and known.stamp == stamp and known.context == chunk_context
            if unchanged and known is not None and all(context.cache.has(key) for key in known.keys):
                yield PlannedSource(
                    stream.name, stream.role, file, stamp, chunk_context, file.path, known.bytes, known
                )
                continue
            bytes_path, size = _plain_bytes(context.workspace, file, stamp)
            yield PlannedSource(stream.name, stream.role, file, stamp, chunk_context, bytes_path, size, None)


def _as_last_run_left_it(
    context: WorkContext, state: RunState, stream: StreamSettings
) -> Iterator[PlannedSource]:
    for known in state.sources.values():
        if known.stream == stream.name:
            file = SourceFile(known.relative, context.workspace / known.relative)
            yield PlannedSource(
                stream.name, stream.role, file, known.stamp, known.context, file.path, known.bytes, known
            )


def tasks_of(
    source: PlannedSource, name: ContextName, chunk_bytes: int, depth: str, *, use_cache: bool
) -> Iterator[ChunkTask]:
    """The chunks of a source that must be looked at."""
    for chunk in plan_chunks(source.bytes_path, chunk_bytes, source.size):
        yield ChunkTask(
            context=name,
            chunk_context=source.chunk_context,
            depth=depth,
            stream=source.stream,
            role=source.role,
            source_file=source.file.relative,
            path=str(source.bytes_path),
            chunk=chunk,
            use_cache=use_cache,
        )


def _plain_bytes(workspace: Path, file: SourceFile, stamp: FileStamp) -> tuple[Path, int]:
    """Where the decompressed bytes of a source lie. A compressed one is spooled for this run."""
    try:
        with file.path.open("rb") as raw:
            magic = raw.read(4)
    except OSError as error:
        raise unreadable_source(file.path, error) from error
    if not magic.startswith(_GZIP) and magic != _ZSTD:
        return file.path, stamp.size
    spool = workspace / paths.SPOOL / hashlib.sha256(str(file.path).encode()).hexdigest()
    disk.make_folder(spool.parent)
    size = 0
    try:
        with open_source(file.path) as plain, disk.new_file(spool) as descriptor:
            while block := plain.read(1 << 20):
                size += len(block)
                try:
                    disk.write_all(descriptor, block)
                except OSError as error:
                    raise disk.storage_fault(error, spool) from error
    except EOFError as error:
        raise InputError(
            Fault(
                code="source_truncated",
                what_happened=f"{file.path} is a compressed file that ends too early.",
                kept_safe="The last outputs are in place; finished chunks are kept.",
                do_next="Replace it by a whole copy, then: distill run-all",
                file=str(file.path),
            )
        ) from error
    except OSError as error:
        raise unreadable_source(file.path, error) from error
    return spool, size
