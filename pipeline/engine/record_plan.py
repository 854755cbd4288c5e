"""Where the records of sources lie that are not read line by line: groups of lines, items of a value."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pipeline.engine.chunks import unreadable_source
from pipeline.engine.record_work import RecordFile
from pipeline.storage.archives import Ending, open_regular
from pipeline.storage.source_lines import SourceLine, lines_of
from pipeline.storage.whole_json import Document, find_items
from pipeline.streams.records import File, Files, Lines, Record, assembled, items_of, noted

if TYPE_CHECKING:
    # Not at run time: P3 and P4 alone must not need the mappers.
    from pipeline.streams.grouping import Grouping


@dataclass(frozen=True)
class PlainSource:
    """The first ``size`` bytes of ``path`` are what a run reads of the source ``relative``."""

    relative: str
    path: Path
    size: int
    ending: Ending


@dataclass(frozen=True)
class PlannedRecords:
    """Records in order, and the files that they lie in, by number."""

    records: Sequence[Record]
    files: dict[int, RecordFile]

    def lines(self) -> Counter[int]:
        """How many lines each file has."""
        return Counter(member.file for record in self.records for member in record.members())


def planned_items(source: PlainSource) -> PlannedRecords | None:
    """The items of a source that is whole JSON; None where it is lines. Raises InputError."""
    document = _document(source, whole=False)
    if document is None:
        return None
    file = File(0, source.relative, is_document=True)
    records = items_of(file, _lines(source, document))
    return PlannedRecords(records, {0: RecordFile(file, str(source.path))})


def planned_groups(sources: Sequence[PlainSource], grouping: Grouping) -> PlannedRecords:
    """The groups of all files of a stream. Raises InputError."""
    files: Files = {}

    def each() -> Iterator[Lines]:
        for number, source in enumerate(sources):
            document = _document(source, whole=grouping.is_by_file)
            yield noted(number, source.relative, _lines(source, document), files)

    records = assembled(each(), grouping)
    placed = {number: RecordFile(file, str(sources[number].path)) for number, file in files.items()}
    return PlannedRecords(records, placed)


def _document(source: PlainSource, *, whole: bool) -> Document | None:
    with _opened(source) as file:
        return find_items(file, source.size, whole=whole)


def _lines(source: PlainSource, document: Document | None) -> Iterator[SourceLine]:
    with _opened(source) as file:
        if document is None:
            yield from lines_of(file, source.ending, source.size)
        else:
            yield from document.items(file, source.ending)


@contextlib.contextmanager
def _opened(source: PlainSource) -> Iterator[BinaryIO]:
    with open_regular(source.path) as file:
        try:
            yield file
        except OSError as error:
            raise unreadable_source(source.path, error) from error
