"""What stands between a stream's files and its rules where a line is not an attempt by itself.

A record is one line of a group, or a whole group of lines that have the same key, or one item of
a file that is a single JSON value; or a line that belongs to nothing, with the reason. Records
come in the order of their first lines, so what they are depends neither on chunks nor on workers.

Lines are read once to find their keys, and only where they lie is kept: 32 bytes a line, and a
digest of it while the keys are found, and the key of each group. The texts of a group are read when it is
mapped, one group at a time; one of more than ``MAX_GROUP_BYTES`` is skipped as ``oversize``.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from pipeline.contracts.skips import LineFault, SkipReason
from pipeline.storage.source_lines import SourceLine, parse_line, read_line

if TYPE_CHECKING:
    # Not at run time: P3 and P4 alone must not need the mappers.
    from pipeline.streams.compiled import CompiledStream
    from pipeline.streams.grouping import Grouping

MAX_GROUP_BYTES = 64 * 2**20
PER_MEMBER = 4


class Member(NamedTuple):
    """One line or item: number of its file, number of its line, first byte, length in bytes."""

    file: int
    line: int
    start: int
    length: int


@dataclass
class Record:
    """``places`` holds file, line, start and length of each member in turn. ``group`` is its key."""

    group: str | None
    places: array[int] = field(default_factory=lambda: array("Q"))
    fault: LineFault | None = None

    def add(self, file: int, line: SourceLine) -> None:
        self.places.extend((file, line.line, line.byte_offset, len(line.raw)))

    @property
    def size(self) -> int:
        """Bytes of its lines."""
        return sum(self.places[3::PER_MEMBER])

    def __len__(self) -> int:
        return len(self.places) // PER_MEMBER

    def members(self) -> Iterator[Member]:
        places = self.places
        for at in range(0, len(places), PER_MEMBER):
            yield Member(*places[at : at + PER_MEMBER])


class File(NamedTuple):
    """A file as records name it. ``is_document``: its lines are items of one JSON value."""

    number: int
    relative: str
    is_document: bool


Files = dict[int, File]
"""Files by their numbers."""
Lines = tuple[File, Iterable[SourceLine]]
"""A file with its lines, to be gone through once."""


def noted(number: int, relative: str, lines: Iterable[SourceLine], files: Files) -> Lines:
    """A file for ``assembled``. It is put into ``files``, which are whole once its lines were read."""
    file = files[number] = File(number, relative, is_document=False)

    def each() -> Iterator[SourceLine]:
        for line in lines:
            if line.is_item:
                files[number] = File(number, relative, is_document=True)
            yield line

    return file, each()


def items_of(file: File, lines: Iterable[SourceLine]) -> list[Record]:
    """Each item of a whole-JSON file as a record."""
    records = []
    for line in lines:
        record = Record(None, fault=_torn(line))
        record.add(file.number, line)
        records.append(record)
    return records


def assembled(files: Iterable[Lines], grouping: Grouping) -> list[Record]:
    """The groups of a stream's files, and the lines that are in none."""
    records: list[Record] = []
    groups: dict[str, Record] = {}
    # Of each group, the digests of its lines by file: a second file may repeat what the first holds.
    seen: dict[str, tuple[int, set[bytes], set[bytes]]] = {}
    for file, lines in files:
        for line in lines:
            key = _key(line, file, grouping)
            if (
                isinstance(key, str)
                and not grouping.is_by_file
                and _is_repeated(seen, key, file.number, line.raw)
            ):
                key = LineFault(SkipReason.DUPLICATE_LINE, "an earlier file has this line of the group")
            if isinstance(key, LineFault):
                record = Record(None, fault=key)
                records.append(record)
            else:
                found = groups.get(key)
                if found is None:
                    found = groups[key] = Record(key)
                    records.append(found)
                record = found
            record.add(file.number, line)
    for record in groups.values():
        if record.size > MAX_GROUP_BYTES:
            record.fault = LineFault(
                SkipReason.OVERSIZE, f"a group of {record.size} bytes; at most {MAX_GROUP_BYTES} are read"
            )
    return records


def _key(line: SourceLine, file: File, grouping: Grouping) -> str | LineFault:
    value = read_line(line)
    return value if isinstance(value, LineFault) else grouping.key_of(value, file.relative, line.line)


def _torn(line: SourceLine) -> LineFault | None:
    value = read_line(line) if line.torn else None
    return value if isinstance(value, LineFault) else None


def _is_repeated(
    seen: dict[str, tuple[int, set[bytes], set[bytes]]], key: str, file: int, raw: bytes
) -> bool:
    """Whether an earlier file has this line of the group. Within one file, a line may come again."""
    digest = hashlib.sha256(raw).digest()[:16]
    known = seen.get(key)
    if known is None:
        seen[key] = (file, {digest}, set())
        return False
    now, here, before = known
    if now != file:
        before = before | here
        here = set()
        seen[key] = (file, here, before)
    if digest in before:
        return True
    here.add(digest)
    return False


def signature(digests: Sequence[bytes]) -> str:
    """The ``sig_hash`` of a group: the sha256 of its lines' sha256, in the order of the log."""
    return hashlib.sha256(b"".join(digests)).hexdigest()


def ranges_of(record: Record, raws: Sequence[bytes], files: Mapping[int, File]) -> list[dict[str, Any]]:
    """Where the record's bytes are, as provenance has it: neighbouring lines are one range."""
    found: list[dict[str, Any]] = []
    previous: Member | None = None
    for member, raw in zip(record.members(), raws, strict=True):
        end = member.start + member.length
        file = files[member.file]
        if previous is not None and previous[:2] == (member.file, member.line - 1) and not file.is_document:
            found[-1].update(last_line=member.line, byte_end=end, lines=found[-1]["lines"] + 1)
        else:
            found.append(
                {
                    "source_file": file.relative,
                    "first_line": member.line,
                    "last_line": member.line + raw.count(b"\n"),
                    "byte_offset": member.start,
                    "byte_end": end,
                    "lines": 1,
                }
            )
        previous = member
    return found


def map_record(
    compiled: CompiledStream, record: Record, raws: Sequence[bytes], files: Mapping[int, File]
) -> list[dict[str, Any]] | LineFault:
    """The evidence of a record, whose lines are ``raws``, or why all of its lines give none."""
    if record.fault is not None:
        return record.fault
    values = lines_seen(compiled, record, raws, files)
    if isinstance(values, LineFault):
        return values
    digests = [hashlib.sha256(raw).digest() for raw in raws]
    ranges = ranges_of(record, raws, files)
    if record.group is not None:
        return compiled.map_group(values, key=record.group, sig_hash=signature(digests), ranges=ranges)
    first = ranges[0]
    return compiled.map_line(
        values[0],
        source_file=first["source_file"],
        line=first["first_line"],
        byte_offset=first["byte_offset"],
        sig_hash=digests[0].hex(),
        ranges=ranges,
    )


def lines_seen(
    compiled: CompiledStream, record: Record, raws: Sequence[bytes], files: Mapping[int, File]
) -> list[dict[str, Any]] | LineFault:
    """The lines of a record as rules see those of a group: with what they ask of the line's file."""
    values = []
    for raw, member in zip(raws, record.members(), strict=True):
        value = parse_line(raw)
        if isinstance(value, LineFault):
            return value
        if record.group is not None:
            value = compiled.seen(value, source_file=files[member.file].relative, line=member.line)
        values.append(value)
    return values
