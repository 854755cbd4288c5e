"""Which files a run reads, how they are cut, and which chunks are known from the last run."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.contracts import paths
from pipeline.contracts.faults import InputError
from pipeline.engine.chunk_work import ChunkTask
from pipeline.engine.chunks import plan_chunks, unreadable_source
from pipeline.engine.record_plan import PlainSource, PlannedRecords, planned_groups, planned_items
from pipeline.engine.record_work import RecordTask, cut_records
from pipeline.engine.run_state import FileStamp, RunState, SourceState
from pipeline.engine.source_troubles import SourceLostError, SourceTroubles, of_one_file
from pipeline.engine.work_context import ContextName, WorkContext
from pipeline.platform import disk, disk_faults
from pipeline.settings.model import StreamSettings
from pipeline.storage.archives import Ending, extent_of, open_source
from pipeline.storage.digests import digest_of
from pipeline.streams.files import SourceFile, ending_of, list_sources
from pipeline.streams.records import PER_MEMBER

if TYPE_CHECKING:
    # Not at run time: P3 and P4 alone must not need the mappers.
    from pipeline.streams.grouping import Grouping


@dataclass
class PlannedSource:
    """One file of a stream. ``bytes_path`` holds its bytes, decompressed where needed.

    ``keys`` fills with the chunks' keys in order; ``known`` is the last run's record of the
    file when its stamp and everything else that touches its rows are unchanged, and ``ending`` then
    says nothing. ``grown`` is that record when the file is longer now, so that it may begin with the same
    bytes. ``used`` and ``skips`` are filled as well (lines mapped or looked up, lines by reason), and
    ``damage``: what is missing of an archive.
    """

    stream: str
    role: str
    file: SourceFile
    stamp: FileStamp
    chunk_context: str
    bytes_path: Path
    size: int
    known: SourceState | None
    ending: Ending = Ending.OPEN
    keys: list[str] = field(default_factory=list)
    rows: int = 0
    used: int = 0
    skips: Counter[str] = field(default_factory=Counter)
    damage: str = ""
    sha256: str = ""
    records: PlannedRecords | None = None
    """Where the file is not read line by line. The first file of a stream that has groups holds all."""
    are_rows_counted: bool = False
    """``rows`` is known before the chunks are."""
    grown: SourceState | None = None
    cut: tuple[int, int, int] = (0, 0, 0)
    """How the file was cut at line ends, as ``SourceState`` says it."""
    rows_context: str = ""
    """What names the chunks of groups; ``chunk_context`` then also says which files there are."""

    @property
    def is_read_by_items(self) -> bool:
        """A JSON document that this run reads anew, item by item."""
        return self.records is not None and not self.rows_context

    def plain(self) -> PlainSource:
        """What a run reads of it."""
        return PlainSource(self.file.relative, self.bytes_path, self.size, self.ending)

    def relative_of(self, error: InputError) -> str:
        """The file that could not be read; of a stream with groups, it may be another than this."""
        files = () if self.records is None else self.records.files.values()
        found = (each.file.relative for each in files if each.path == error.fault.file)
        return next(found, self.file.relative)

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
            chunk_bytes=self.cut[0],
            last_start=self.cut[1],
            last_line=self.cut[2],
        )


def state_key(stream: str, relative: str) -> str:
    return f"{stream}\0{relative}"


def plan_sources(
    context: WorkContext, state: RunState, depth: str, troubles: SourceTroubles, only: str | None = None
) -> Iterator[PlannedSource]:
    """Every source file: streams in declared order, files sorted. Raises InputError.

    With ``only``, every other stream is taken as the last run left it, whatever its files say now.
    A file that cannot be read goes into ``troubles``.
    """
    for stream in context.settings.streams:
        if only is not None and stream.name != only:
            yield from _as_last_run_left_it(context, state, stream)
            continue
        listing = list_sources(context.workspace, context.settings, stream)
        for name, why in listing.refused.items():
            troubles.refuse(stream.name, name, why)
        if not listing.files:
            continue
        chunk_context = context.chunk_context(stream.name, depth)
        grouping = None if stream.role == "lookup" else context.compiled(stream.name).grouping
        if grouping is None:
            yield from _readable(context, state, stream, listing.files, chunk_context, troubles)
        else:
            yield from _in_groups(context, state, stream, listing.files, chunk_context, troubles, grouping)


def _readable(
    context: WorkContext,
    state: RunState,
    stream: StreamSettings,
    files: Sequence[SourceFile],
    chunk_context: str,
    troubles: SourceTroubles,
    *,
    in_groups: bool = False,
) -> Iterator[PlannedSource]:
    """The files that can be read, each planned; the others go into ``troubles``."""
    for file in files:
        if troubles.is_lost(stream.name, file.relative):
            continue
        try:
            yield _planned(context, state, stream, file, chunk_context, in_groups=in_groups)
        except InputError as error:
            if not of_one_file(error):
                raise
            troubles.refuse(stream.name, file.relative, error.fault.of_the_file())


def _in_groups(
    context: WorkContext,
    state: RunState,
    stream: StreamSettings,
    files: Sequence[SourceFile],
    chunk_context: str,
    troubles: SourceTroubles,
    grouping: Grouping,
) -> Iterator[PlannedSource]:
    """All files of a stream anew when one of them changed: a line more may belong to any group."""
    # Which groups there are, all files decide together.
    together = digest_of([chunk_context, "groups", [file.relative for file in files]])
    sources = list(_readable(context, state, stream, files, together, troubles, in_groups=True))
    if len(sources) != len(files) or any(source.known is None for source in sources):
        sources = list(_readable(context, RunState(), stream, files, together, troubles, in_groups=True))
        planned = _planned_groups(stream, sources, grouping)
        lines = planned.lines()
        for number, source in enumerate(sources):
            source.rows, source.are_rows_counted = lines[number], True
            # The chunks are those of all files; they stand with the first, and the others have none.
            source.records = planned if number == 0 else PlannedRecords((), {})
            source.rows_context = chunk_context
            if len(sources) != len(files):
                source.chunk_context = ""  # without the files that cannot be read now: never as it was
    yield from sources


def _planned_groups(
    stream: StreamSettings, sources: Sequence[PlannedSource], grouping: Grouping
) -> PlannedRecords:
    try:
        return planned_groups([source.plain() for source in sources], grouping)
    except InputError as error:
        lost = next((each for each in sources if str(each.bytes_path) == error.fault.file), None)
        if lost is None or not of_one_file(error):
            raise
        raise SourceLostError(stream.name, lost.file.relative, error) from error


def _planned(
    context: WorkContext,
    state: RunState,
    stream: StreamSettings,
    file: SourceFile,
    chunk_context: str,
    *,
    in_groups: bool,
) -> PlannedSource:
    try:
        stamp = FileStamp.of(file.path)
    except OSError as error:
        raise unreadable_source(file.path, error) from error
    known = state.sources.get(state_key(stream.name, file.relative))
    unchanged = known is not None and known.stamp == stamp and known.context == chunk_context
    if unchanged and known is not None and all(context.cache.has(key) for key in known.keys):
        source = PlannedSource(
            stream.name, stream.role, file, stamp, chunk_context, file.path, known.bytes, known
        )
        source.rows, source.are_rows_counted = known.rows, True
        source.cut = known.chunk_bytes, known.last_start, known.last_line
        return source
    bytes_path, size, ending = _plain_bytes(context.workspace, stream, file, stamp)
    source = PlannedSource(
        stream.name, stream.role, file, stamp, chunk_context, bytes_path, size, None, ending
    )
    if not in_groups:
        source.records = planned_items(source.plain())
        if known is not None and source.records is None and _may_have_grown(context, source, known):
            source.grown = known
    return source


def _may_have_grown(context: WorkContext, source: PlannedSource, known: SourceState) -> bool:
    """Whether all that can be told without reading the file says so: what it held, it may hold still."""
    return (
        source.bytes_path == source.file.path
        and known.context == source.chunk_context
        and known.bytes < source.size
        and len(known.keys) > 1
        and all(context.cache.has(key) for key in known.keys[:-1])
    )


def _as_last_run_left_it(
    context: WorkContext, state: RunState, stream: StreamSettings
) -> Iterator[PlannedSource]:
    for known in state.sources.values():
        if known.stream == stream.name:
            file = SourceFile(known.relative, context.workspace / known.relative)
            source = PlannedSource(
                stream.name, stream.role, file, known.stamp, known.context, file.path, known.bytes, known
            )
            source.rows, source.are_rows_counted = known.rows, True
            source.cut = known.chunk_bytes, known.last_start, known.last_line
            yield source


def tasks_of(
    source: PlannedSource,
    name: ContextName,
    chunk_bytes: int,
    depth: str,
    *,
    use_cache: bool,
    after: SourceState | None = None,
) -> Iterator[ChunkTask | RecordTask]:
    """The chunks of a source that must be looked at; with ``after``, from the last one of that record on."""
    if source.records is not None:
        for records, size in cut_records(source.records.records, chunk_bytes):
            numbers = {number for record in records for number in record.places[::PER_MEMBER]}
            yield RecordTask(
                context=name,
                chunk_context=source.rows_context or source.chunk_context,
                depth=depth,
                stream=source.stream,
                role=source.role,
                files={number: source.records.files[number] for number in sorted(numbers)},
                records=records,
                size=size,
                use_cache=use_cache,
            )
        return
    start, first_line = (0, 1) if after is None else (after.last_start, after.last_line)
    for chunk in plan_chunks(
        source.bytes_path, chunk_bytes, source.size, source.ending, start=start, first_line=first_line
    ):
        source.cut = chunk_bytes, chunk.start, chunk.first_line
        yield ChunkTask(
            context=name,
            chunk_context=source.chunk_context,
            depth=depth,
            stream=source.stream,
            role=source.role,
            source_file=source.file.relative,
            path=str(source.bytes_path),
            chunk=chunk,
            ending=source.ending,
            use_cache=use_cache,
        )


def _plain_bytes(
    workspace: Path, stream: StreamSettings, file: SourceFile, stamp: FileStamp
) -> tuple[Path, int, Ending]:
    """Where the bytes of a source lie, how many of them count, and how they end.

    What can be used of a compressed one is spooled for this run.
    """
    extent = extent_of(file.path)
    if extent.compression is None:
        return file.path, stamp.size, ending_of(file.relative, stream)
    spool = workspace / paths.SPOOL / hashlib.sha256(str(file.path).encode()).hexdigest()
    disk.make_folder(spool.parent)
    left = extent.bytes
    try:
        with open_source(file.path) as plain, disk.new_file(spool) as descriptor:
            while left and (block := plain.read(min(left, 1 << 20))):
                left -= len(block)
                try:
                    disk.write_all(descriptor, block)
                except OSError as error:
                    raise disk_faults.storage_fault(error, spool) from error
    except OSError as error:
        raise unreadable_source(file.path, error) from error
    return spool, extent.bytes - left, extent.ending
