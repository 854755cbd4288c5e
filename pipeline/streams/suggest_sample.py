"""The first lines of a log, which ``distill streams suggest`` looks at, and what the mapper makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.contracts.faults import InputError
from pipeline.contracts.skips import LineFault, SkipReason
from pipeline.settings.model import StreamSettings
from pipeline.storage.archives import Ending
from pipeline.storage.source_lines import SourceLine, read_line
from pipeline.storage.whole_json import read_source
from pipeline.streams.compiled import compile_stream
from pipeline.streams.lookup import LookupTable
from pipeline.streams.records import Files, Record, assembled, items_of, map_record, noted

MOST_LINES = 400
MOST_BYTES = 32 * 2**20


@dataclass
class Sample:
    """``values`` are the objects of ``lines``; ``whole`` says that there are no more lines than these."""

    relative: str
    lines: list[SourceLine] = field(default_factory=list)
    values: list[dict[str, Any]] = field(default_factory=list)
    whole: bool = True
    ends_open: bool = False
    """The last line has no line end and would be whole with one."""

    @property
    def is_document(self) -> bool:
        return any(line.is_item for line in self.lines)


def read_sample(path: Path, relative: str) -> Sample:
    """At most ``MOST_LINES`` lines or items. Raises InputError where nothing can be read."""
    sample = Sample(relative)
    size = 0
    try:
        for line in islice(read_source(path, Ending.CLOSED), MOST_LINES + 1):
            size += len(line.raw)
            if len(sample.lines) == MOST_LINES or (sample.lines and size > MOST_BYTES):
                sample.whole = False
                break
            sample.lines.append(line)
            value = read_line(line)
            if not isinstance(value, LineFault):
                sample.values.append(value)
                sample.ends_open |= line.torn and isinstance(
                    read_line(line._replace(ending=Ending.OPEN)), LineFault
                )
    except InputError:
        # What came before the damage tells what the log is; the trial says what is wrong with it.
        if not sample.lines:
            raise
        sample.whole = False
    return sample


@dataclass
class Tried:
    """What a draft makes of a sample: lines that gave rows, lines that somebody filtered out, the rows."""

    mapped: int = 0
    filtered: int = 0
    refused: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)


def try_sample(stream: StreamSettings, sample: Sample, lookups: Mapping[str, LookupTable]) -> Tried:
    """Map the sample as a run would. Raises SettingsError for rules that cannot be used."""
    compiled = compile_stream(stream, lookups)
    files: Files = {}
    if compiled.grouping is None:
        file, lines = noted(0, sample.relative, sample.lines, files)
        records = items_of(file, lines)
        for record, line in zip(records, sample.lines, strict=True):
            value = read_line(line)
            record.fault = value if isinstance(value, LineFault) else None
    else:
        records = assembled([noted(0, sample.relative, sample.lines, files)], compiled.grouping)
    raws = {line.byte_offset: line.raw for line in sample.lines}
    tried = Tried()
    for record in records:
        _count(
            tried,
            record,
            map_record(compiled, record, [raws[each.start] for each in record.members()], files),
        )
    return tried


def _count(tried: Tried, record: Record, rows: list[dict[str, Any]] | LineFault) -> None:
    if not isinstance(rows, LineFault):
        tried.mapped += len(record)
        tried.rows += rows
    elif rows.reason in (SkipReason.FILTERED_OUT, SkipReason.BLANK_LINE):
        tried.filtered += len(record)
    else:
        tried.refused += len(record)
