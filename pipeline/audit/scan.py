"""One pass over the sources: how many lines, the digest of each, and what the mapper makes of it.

Nothing is taken from evidence or receipts but how far a file had been read: a log that grew
since the run is judged on the bytes that the run saw (P5 recomputes their digest). Every line is
looked at, whatever the size; what is kept of one is its offset, digest and number of rows.
"""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.audit.claims import NOT_READ, ReadSource
from pipeline.contracts.evidence_fields import mask_of
from pipeline.contracts.faults import InputError
from pipeline.contracts.skips import LineFault, SkipReason
from pipeline.settings.model import Settings, StreamSettings
from pipeline.storage.archives import Ending
from pipeline.storage.source_lines import MAX_LINE_BYTES, SourceLine, read_line
from pipeline.storage.whole_json import read_source
from pipeline.streams.compiled import CompiledStream, compile_stream
from pipeline.streams.files import SourceFile, ending_of, stream_files
from pipeline.streams.grouping import Grouping
from pipeline.streams.lookup import LookupTable, load_lookups
from pipeline.streams.read_records import Groups, read_groups
from pipeline.streams.records import Record, map_record

DIGEST_BYTES = 32


@dataclass
class FileScan:
    """One file as one stream reads it: of each line, or item of a JSON value, an entry in each array.

    ``rows`` is how many evidence rows the line yields, or the group that it is in. ``appended_lines``
    stand after the bytes that the last run read. ``damage`` says how an archive ended before its end;
    its last line then stands for what is missing. ``problem`` is why what the last run read cannot be
    read any more.
    """

    stream: str
    file: SourceFile
    numbers: array[int] = field(default_factory=lambda: array("Q"))
    offsets: array[int] = field(default_factory=lambda: array("Q"))
    ends: array[int] = field(default_factory=lambda: array("Q"))
    digests: bytearray = field(default_factory=bytearray)
    rows: array[int] = field(default_factory=lambda: array("L"))
    appended_lines: int = 0
    damage: str = ""
    problem: str = ""
    unread: str = ""
    """Why the file cannot be opened, of which the last run has read nothing, either."""

    @property
    def lines(self) -> int:
        return len(self.offsets)

    def lacks_only(self, line: int, reason: str) -> bool:
        """Whether a skip of ``line`` stood for what was missing of an archive that is mended now."""
        return reason == SkipReason.ARCHIVE_DAMAGED and line == self.lines + 1

    def digest_at(self, position: int) -> bytes:
        """sha256 of the line at a position, counted from 0."""
        return bytes(self.digests[position * DIGEST_BYTES : (position + 1) * DIGEST_BYTES])

    def position(self, line: int, byte_offset: int) -> int | None:
        """Where the line of that number stands in the arrays. The offset tells items of one line apart."""
        at = bisect_left(self.offsets, byte_offset)
        if at < self.lines and self.offsets[at] == byte_offset and self.numbers[at] == line:
            return at
        at = bisect_left(self.numbers, line)
        return at if at < self.lines and self.numbers[at] == line else None

    def add(self, line: SourceLine, digest: bytes, rows: int) -> None:
        self.numbers.append(line.line)
        self.offsets.append(line.byte_offset)
        self.ends.append(line.byte_offset + len(line.raw))
        self.digests += digest
        self.rows.append(rows)


@dataclass
class StreamScan:
    """What a stream's files hold now. ``mapped``, ``looked_up`` and ``reasons`` are of all lines."""

    stream: StreamSettings
    files: list[FileScan] = field(default_factory=list)
    mapped: int = 0
    looked_up: int = 0
    evidence: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    fields: Counter[int] = field(default_factory=Counter)
    """Which evidence fields a row has, as a mask → rows."""

    @property
    def lines(self) -> int:
        return sum(scan.lines + scan.appended_lines for scan in self.files)


def scan_sources(
    workspace: Path, settings: Settings, read: Mapping[str, ReadSource] | None
) -> dict[str, StreamScan]:
    """Every stream in declared order. ``read`` is how far the last run read each file.

    Without it every byte counts. Raises SettingsError, and InputError for a path that leads out and for
    a file that the last run read and that may not be read now.
    """
    lookups = load_lookups(workspace, settings)
    scans = {}
    for stream in settings.streams:
        found = StreamScan(stream)
        compiled = None if stream.role == "lookup" else compile_stream(stream, lookups)
        scanner = _Scanner(found, compiled, lookups.get(stream.name))
        files = stream_files(workspace, settings, stream)
        each = [None if read is None else read.get(file.relative, NOT_READ) for file in files]
        if compiled is not None and compiled.grouping is not None:
            scanner.scan_groups(files, each, compiled, compiled.grouping)
        else:
            found.files += [scanner.scan(file, of_file) for file, of_file in zip(files, each, strict=True)]
        scans[stream.name] = found
    return scans


def scan_bytes(stream: str, file: SourceFile, read: ReadSource | None) -> FileScan:
    """A file that no stream reads any more: offsets and digests only, no rows. Raises InputError."""
    scan = FileScan(stream, file)
    # How a plain file ends touches its rows only, which are not asked for.
    for line, is_new in _lines(scan, read, Ending.OPEN):
        if not is_new:
            scan.add(line, hashlib.sha256(line.raw).digest(), 0)
    return scan


def _lines(
    scan: FileScan, read: ReadSource | None, ending: Ending, *, whole: bool = False
) -> Iterator[tuple[SourceLine, bool]]:
    """Each line, and whether it begins after the bytes that the run read; those are counted apart."""
    size, claimed = read or (None, None)
    try:
        for line in read_source(scan.file.path, ending, whole=whole, size=size, claimed=claimed):
            if line.stands_for_the_missing:
                _note_damage(scan, line, size)
            is_new = (
                size is not None and line.byte_offset >= size and not _is_where_the_run_stopped(line, size)
            )
            scan.appended_lines += is_new
            yield line, is_new
    except InputError as error:
        # What may not be read says nothing about its content; the run did without it, too.
        if size:
            raise
        scan.unread = error.fault.what_happened


def _note_damage(scan: FileScan, line: SourceLine, limit: int | None) -> None:
    """An archive that the run could read further than it can be read now is a problem, not a note."""
    scan.damage = str(line.ending)
    usable = line.byte_offset + len(line.raw)
    if limit is not None and usable < limit and len(line.raw) <= MAX_LINE_BYTES:
        scan.problem = f"is {line.ending}: the run read {limit:,} bytes of it, and {usable:,} can be read now"


def _is_where_the_run_stopped(line: SourceLine, limit: int) -> bool:
    """The line without bytes that stands for what is missing belongs to the bytes before it."""
    return line.stands_for_the_missing and line.byte_offset == limit


def _note_rows(scans: Sequence[FileScan], record: Record, rows: int) -> None:
    for member in record.members():
        position = scans[member.file].position(member.line, member.start)
        if position is not None:
            scans[member.file].rows[position] = rows


class _Scanner:
    """Reads the files of one stream, and counts what becomes of their lines."""

    def __init__(
        self, found: StreamScan, compiled: CompiledStream | None, lookup: LookupTable | None
    ) -> None:
        self._found = found
        self._compiled = compiled
        self._lookup = lookup
        self._seen: set[bytes] = set()

    def scan(self, file: SourceFile, read: ReadSource | None) -> FileScan:
        """Raises InputError for a file that cannot be read at all."""
        scan = FileScan(self._found.stream.name, file)
        ending = ending_of(file.relative, self._found.stream)
        for line, is_new in _lines(scan, read, ending):
            digest = hashlib.sha256(line.raw).digest()
            rows = self._rows(line, digest, file.relative)
            if not is_new:
                scan.add(line, digest, rows)
        return scan

    def scan_groups(
        self,
        files: Sequence[SourceFile],
        read: Sequence[ReadSource | None],
        compiled: CompiledStream,
        grouping: Grouping,
    ) -> None:
        """The files of a stream that has groups.

        What becomes of the lines is counted of all of them, as of any stream; what each yields, of
        those that the run read: a line more makes another group.
        """
        scans = [FileScan(self._found.stream.name, file) for file in files]
        self._found.files += scans
        endings = [ending_of(file.relative, self._found.stream) for file in files]

        def groups(into: Sequence[FileScan], *, with_new: bool) -> Groups:
            def lines_of(number: int) -> Iterator[SourceLine]:
                scan, whole = into[number], grouping.is_by_file
                for line, is_new in _lines(scan, read[number], endings[number], whole=whole):
                    if not is_new:
                        scan.add(line, hashlib.sha256(line.raw).digest(), 0)
                    if with_new or not is_new:
                        yield line

            return read_groups(files, grouping, lines_of)

        known = groups(scans, with_new=False)
        has_grown = any(scan.appended_lines for scan in scans)
        for record, raws in known.records:
            outcome = map_record(compiled, record, raws, known.files)
            if not isinstance(outcome, LineFault):
                _note_rows(scans, record, len(outcome))
            if not has_grown:
                self._count_group(record, outcome)
        if has_grown:
            again = groups([FileScan(scan.stream, scan.file) for scan in scans], with_new=True)
            for record, raws in again.records:
                self._count_group(record, map_record(compiled, record, raws, again.files))

    def _count_group(self, record: Record, outcome: list[dict[str, Any]] | LineFault) -> None:
        found = self._found
        if not isinstance(outcome, LineFault):
            digest = bytes.fromhex(outcome[0]["provenance"]["sig_hash"])
            if digest in self._seen:
                outcome = LineFault(SkipReason.DUPLICATE_LINE, "")
            self._seen.add(digest)
        if isinstance(outcome, LineFault):
            found.reasons[str(outcome.reason)] += len(record)
            return
        found.evidence += len(outcome)
        found.mapped += len(record)
        found.fields.update(map(mask_of, outcome))

    def _rows(self, line: SourceLine, digest: bytes, relative: str) -> int:
        """How many evidence rows the line yields; what became of it is counted."""
        rows = self._outcome(line, digest, relative)
        found = self._found
        if not isinstance(rows, LineFault) and digest in self._seen:
            rows = LineFault(SkipReason.DUPLICATE_LINE, "")
        if isinstance(rows, LineFault):
            found.reasons[str(rows.reason)] += 1
            return 0
        self._seen.add(digest)
        found.evidence += rows
        if self._compiled is None:
            found.looked_up += 1
        else:
            found.mapped += 1
        return rows

    def _outcome(self, line: SourceLine, digest: bytes, relative: str) -> int | LineFault:
        value = read_line(line)
        if isinstance(value, LineFault):
            return value
        if self._compiled is None:
            return (None if self._lookup is None else self._lookup.check(value)) or 0
        mapped = self._compiled.map_line(
            value,
            source_file=relative,
            line=line.line,
            byte_offset=line.byte_offset,
            sig_hash=digest.hex(),
        )
        if isinstance(mapped, LineFault):
            return mapped
        for row in mapped:
            self._found.fields[mask_of(row)] += 1
        return len(mapped)
