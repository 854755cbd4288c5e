"""A stream's groups with their bytes, for those who look at sources and write nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from pipeline.storage.source_lines import SourceLine
from pipeline.storage.source_reader import SourceReader
from pipeline.streams.files import SourceFile
from pipeline.streams.grouping import Grouping
from pipeline.streams.records import Files, Member, Record, assembled, noted


class Groups(NamedTuple):
    """``files`` by number; each record with its lines, none where it cannot be used."""

    files: Files
    records: Iterator[tuple[Record, list[bytes]]]


def read_groups(
    files: Sequence[SourceFile], grouping: Grouping, lines_of: Callable[[int], Iterable[SourceLine]]
) -> Groups:
    """``lines_of`` gives the lines of a file by its number; all are read before this returns.

    Raises InputError, also while the records are gone through.
    """
    named: Files = {}
    records = assembled(
        (noted(number, file.relative, lines_of(number), named) for number, file in enumerate(files)),
        grouping,
    )
    return Groups(named, _with_bytes(records, files))


def _with_bytes(
    records: Sequence[Record], files: Sequence[SourceFile]
) -> Iterator[tuple[Record, list[bytes]]]:
    number, reader = -1, None

    def read(member: Member) -> bytes:
        nonlocal number, reader
        if reader is None or number != member.file:
            if reader is not None:
                reader.close()
            number, reader = member.file, SourceReader(files[member.file].path)
        return reader.read(member.start, member.length)

    try:
        for record in records:
            yield record, [] if record.fault is not None else [read(member) for member in record.members()]
    finally:
        if reader is not None:
            reader.close()
