"""One pass over the sources: how many lines, the digest of each, and what the mapper makes of it.

Nothing is taken from evidence or receipts but how far a file had been read: a log that grew
since the run is judged on the bytes that the run saw (P5 recomputes their digest). Every line is
looked at, whatever the size; what is kept of one is its offset, digest and number of rows.
"""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.contracts.faults import InputError
from pipeline.settings.model import Settings, StreamSettings
from pipeline.storage.archives import Ending
from pipeline.storage.source_lines import MAX_LINE_BYTES, SourceLine, read_line, read_lines
from pipeline.streams.compiled import CompiledStream, compile_stream
from pipeline.streams.files import SourceFile, ending_of, stream_files
from pipeline.streams.lookup import LookupTable, load_lookups
from pipeline.streams.skips import LineFault, SkipReason

DIGEST_BYTES = 32


@dataclass
class FileScan:
    """One file as one stream reads it. Position ``n - 1`` of each array is line ``n``.

    ``rows`` is how many evidence rows the line yields. ``appended_lines`` stand after the bytes
    that the last run read. ``damage`` says how an archive ended before its end; its last line then
    stands for what is missing. ``problem`` is why what the last run read cannot be read any more.
    """

    stream: str
    file: SourceFile
    offsets: array[int] = field(default_factory=lambda: array("Q"))
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

    def digest_of(self, line: int) -> bytes:
        """sha256 of a line, counted from 1."""
        return bytes(self.digests[(line - 1) * DIGEST_BYTES : line * DIGEST_BYTES])


@dataclass
class StreamScan:
    """What a stream's files hold now. ``mapped``, ``looked_up`` and ``reasons`` are of all lines."""

    stream: StreamSettings
    files: list[FileScan] = field(default_factory=list)
    mapped: int = 0
    looked_up: int = 0
    evidence: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def lines(self) -> int:
        return sum(scan.lines + scan.appended_lines for scan in self.files)


def scan_sources(
    workspace: Path, settings: Settings, read_bytes: Mapping[str, int] | None
) -> dict[str, StreamScan]:
    """Every stream in declared order. ``read_bytes`` is how far the last run read each file.

    Without it every byte counts. Raises SettingsError, and InputError for a link that leads out and for
    a file that the last run read and that may not be read now.
    """
    lookups = load_lookups(workspace, settings)
    scans = {}
    for stream in settings.streams:
        found = StreamScan(stream)
        compiled = None if stream.role == "lookup" else compile_stream(stream, lookups)
        scanner = _Scanner(found, compiled, lookups.get(stream.name))
        for file in stream_files(workspace, settings, stream):
            limit = None if read_bytes is None else read_bytes.get(file.relative, 0)
            found.files.append(scanner.scan(file, limit))
        scans[stream.name] = found
    return scans


def scan_bytes(stream: str, file: SourceFile, limit: int | None) -> FileScan:
    """A file that no stream reads any more: offsets and digests only, no rows. Raises InputError."""
    scan = FileScan(stream, file)
    # How a plain file ends touches its rows only, which are not asked for.
    _read(scan, limit, Ending.OPEN, lambda _line, _digest: 0)
    return scan


def _read(
    scan: FileScan, limit: int | None, ending: Ending, rows_of: Callable[[SourceLine, bytes], int]
) -> None:
    """Fill ``scan``; lines that begin at or after ``limit`` bytes are counted apart."""
    try:
        for line in read_lines(scan.file.path, ending):
            digest = hashlib.sha256(line.raw).digest()
            rows = rows_of(line, digest)
            if line.stands_for_the_missing:
                _note_damage(scan, line, limit)
            if limit is not None and line.byte_offset >= limit and not _is_where_the_run_stopped(line, limit):
                scan.appended_lines += 1
                continue
            scan.offsets.append(line.byte_offset)
            scan.digests += digest
            scan.rows.append(rows)
    except InputError as error:
        # What may not be read says nothing about its content; the run did without it, too.
        if limit:
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


class _Scanner:
    """Reads the files of one stream, and counts what becomes of their lines."""

    def __init__(
        self, found: StreamScan, compiled: CompiledStream | None, lookup: LookupTable | None
    ) -> None:
        self._found = found
        self._compiled = compiled
        self._lookup = lookup
        self._seen: set[bytes] = set()

    def scan(self, file: SourceFile, limit: int | None) -> FileScan:
        """Raises InputError for a file that cannot be read at all."""
        scan = FileScan(self._found.stream.name, file)
        ending = ending_of(file.relative, self._found.stream)
        _read(scan, limit, ending, lambda line, digest: self._rows(line, digest, file.relative))
        return scan

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
        return mapped if isinstance(mapped, LineFault) else len(mapped)
