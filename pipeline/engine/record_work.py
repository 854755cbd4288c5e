"""Chunks of a source that is not read line by line: of groups of lines, or of items of a JSON value.

Such a chunk is a run of records (``streams/records.py``), cut where enough bytes are together. A
cut falls early where a record's name says so, so that a group that grew moves the cuts around
itself and not all that follow. No digest depends on the cuts.
"""

from __future__ import annotations

import contextlib
import hashlib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.contracts.skips import LineFault
from pipeline.engine.chunk_entries import LineEntry, Sections, SkipEntry
from pipeline.engine.chunk_index import ChunkIndex
from pipeline.engine.chunk_work import ChunkResult, builder_of, done_or_mapped
from pipeline.engine.chunks import read_range, unreadable_source
from pipeline.engine.long_rows import too_long
from pipeline.engine.work_context import ContextName, WorkContext, obtain
from pipeline.storage.archives import open_regular
from pipeline.storage.source_lines import parse_line
from pipeline.streams.records import File, Member, Record, map_record

_EARLY = 4


@dataclass(frozen=True)
class RecordFile:
    """A file that records lie in; ``path`` is where its plain bytes are."""

    file: File
    path: str


@dataclass(frozen=True)
class RecordTask:
    """Some records in order, and the files that they lie in, by number."""

    context: ContextName
    chunk_context: str
    depth: str
    stream: str
    role: str
    files: Mapping[int, RecordFile]
    records: tuple[Record, ...]
    size: int
    use_cache: bool = True


def cut_records(records: Sequence[Record], chunk_bytes: int) -> Iterator[tuple[tuple[Record, ...], int]]:
    """Runs of records with their bytes, each of about ``chunk_bytes`` at most, or of one record."""
    held: list[Record] = []
    size = 0
    for record in records:
        held.append(record)
        size += record.size + len(record)
        is_early = size * _EARLY >= chunk_bytes and _name(record) % _EARLY == 0
        if size >= chunk_bytes or is_early:
            yield tuple(held), size
            held, size = [], 0
    if held:
        yield tuple(held), size


def _name(record: Record) -> int:
    return zlib.crc32((record.group or str(record.places[2])).encode("utf-8", "surrogatepass"))


def work_records(task: RecordTask) -> ChunkResult:
    """Map one run of records, or find it done. Raises InputError, StorageError or IntegrityError."""
    context = obtain(task.context)
    raws = _read(task)
    return done_or_mapped(
        context, _key(task, raws), lambda: _map(context, task, raws), use_cache=task.use_cache
    )


def _read(task: RecordTask) -> list[list[bytes]]:
    """The lines of each record. Of one that cannot be used, none are needed."""
    with contextlib.ExitStack() as closing:
        opened = _Opened(task.files, closing)
        return [
            [opened.read(member) for member in record.members()] if record.fault is None else []
            for record in task.records
        ]


class _Opened:
    """Reads members; one file is open at a time, since those of a group mostly lie together."""

    def __init__(self, files: Mapping[int, RecordFile], closing: contextlib.ExitStack) -> None:
        self._files = files
        self._closing = closing
        self._number, self._descriptor = -1, -1

    def read(self, member: Member) -> bytes:
        path = Path(self._files[member.file].path)
        try:
            if member.file != self._number:
                self._closing.close()
                self._descriptor = self._closing.enter_context(open_regular(path)).fileno()
                self._number = member.file
            return read_range(self._descriptor, path, member.start, member.start + member.length)
        except OSError as error:
            raise unreadable_source(path, error) from error


def _key(task: RecordTask, raws: Sequence[Sequence[bytes]]) -> str:
    """What names the work: where each line lies, what it holds, and to what it belongs."""
    name = hashlib.sha256(f"records\0{task.chunk_context}\0{task.stream}\0{task.role}\0".encode())
    for record, of_record in zip(task.records, raws, strict=True):
        head = f"{record.group!r}\0{len(record)}\0{record.fault!r}\0"
        name.update(head.encode("utf-8", "surrogatepass"))
        for member in record.members():
            file = task.files[member.file].file
            place = f"{file.relative}\0{file.is_document}\0{member.line}\0{member.start}\0"
            name.update(place.encode())
        for raw in of_record:
            name.update(hashlib.sha256(raw).digest())
    return name.hexdigest()


def _map(
    context: WorkContext, task: RecordTask, raws: Sequence[Sequence[bytes]]
) -> tuple[ChunkIndex, Sections]:
    builder = builder_of(context, task.stream, task.depth)
    files = {number: each.file for number, each in task.files.items()}
    lookup = context.lookup(task.stream) if task.role == "lookup" else None
    compiled = None if lookup is not None else context.compiled(task.stream)
    entries: list[LineEntry] = []
    skips: list[SkipEntry] = []
    lines = 0
    for order, (record, of_record) in enumerate(zip(task.records, raws, strict=True)):
        places = [(files[each.file].relative, each.line, each.start) for each in record.members()]
        lines += len(places)
        if compiled is not None:
            outcome = map_record(compiled, record, of_record, files)
            if isinstance(outcome, list):
                size = sum(map(len, of_record))
                outcome = too_long(outcome, size, uses_lookups=bool(compiled.lookup_names)) or outcome
        else:
            value = record.fault or parse_line(of_record[0])
            fault = value if isinstance(value, LineFault) else lookup.check(value) if lookup else None
            outcome = fault or []
        if isinstance(outcome, LineFault):
            skips += [
                SkipEntry(line, offset, str(outcome.reason), outcome.detail, file, order)
                for file, line, offset in places
            ]
            continue
        digest = outcome[0]["provenance"]["sig_hash"] if outcome else hashlib.sha256(of_record[0]).hexdigest()
        file, line, offset = places[0]
        rows = [builder.add(evidence) for evidence in outcome]
        entries.append(LineEntry(line, offset, bytes.fromhex(digest), rows, file, order, places))
    counts = builder.categories + builder.noted
    counts["lines"] = lines
    counts["skipped"] = len(skips)
    counts["evidence"] = builder.rows
    sections = builder.sections()
    index = ChunkIndex.made_of(sections, lines_read=lines, lines=entries, skips=skips, counts=dict(counts))
    return index, sections
