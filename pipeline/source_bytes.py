"""The very bytes of a source line, and whether they are still those that were read.

Plain files are read at the offset; in archives the bytes before it are passed over. Nothing is
held but the line; of a group, its lines, each behind the one before it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO

from pipeline.contracts.faults import InputError
from pipeline.settings.model import Settings
from pipeline.storage.source_lines import MAX_LINE_BYTES, open_source
from pipeline.storage.source_reader import SourceReader
from pipeline.streams.files import resolve_source
from pipeline.streams.records import MAX_GROUP_BYTES

_PIECE_BYTES = 2**20


class SourceState(StrEnum):
    """SOURCE_GONE: the evidence stands on its recorded digest, which is no failure."""

    OK = "ok"
    DISAGREE = "disagree"
    NOT_CHECKED = "not_checked"
    SOURCE_GONE = "source_gone"


@dataclass(frozen=True)
class SourceBytes:
    """A source line. ``raw`` and ``sha256`` are what is there now; ``sig_hash`` was recorded."""

    file: str
    line: int
    byte_offset: int
    sig_hash: str | None
    state: SourceState
    why: str = ""
    raw: bytes | None = None
    sha256: str | None = None


def read_source(workspace: Path, settings: Settings, provenance: dict[str, Any]) -> SourceBytes:
    """The line that ``provenance`` names. Without a ``sig_hash`` in it there is nothing to compare."""
    name, line, offset = provenance["source_file"], provenance["line"], provenance["byte_offset"]
    sig_hash: str | None = provenance.get("sig_hash")

    ranges = _ranges(provenance)

    def found(state: SourceState, why: str = "", raw: bytes | None = None, digest: str = "") -> SourceBytes:
        sha256 = None if raw is None else digest or hashlib.sha256(raw).hexdigest()
        return SourceBytes(name, line, offset, sig_hash, state, why, raw, sha256)

    try:
        if ranges is not None:
            lines = _lines_in(workspace, settings, ranges)
            if isinstance(lines, str):
                return found(SourceState.SOURCE_GONE, lines)
            if len(lines) != sum(each["lines"] for each in ranges):
                return found(SourceState.DISAGREE, "other lines stand at the offsets", b"\n".join(lines))
            digests = [hashlib.sha256(each).digest() for each in lines]
            is_group = provenance.get("group") is not None
            digest = hashlib.sha256(b"".join(digests)).hexdigest() if is_group else digests[0].hex()
            state = SourceState.OK if digest == sig_hash else SourceState.DISAGREE
            why = "" if digest == sig_hash else "other bytes stand at the offsets"
            return found(state, why, b"\n".join(lines), digest)
        path = resolve_source(workspace, settings, name)
        if not path.exists():
            return found(SourceState.SOURCE_GONE, "the file was rotated away or deleted since it was read")
        raw = _line_at(path, offset)
    except InputError as error:
        return found(SourceState.NOT_CHECKED, error.fault.what_happened)
    except OSError as error:
        return found(SourceState.NOT_CHECKED, f"{name} cannot be read: {error.strerror}")
    if raw is None:
        return found(SourceState.DISAGREE, "the file ends before the offset")
    if sig_hash is None:
        return found(SourceState.NOT_CHECKED, "no digest was recorded for this line", raw)
    if hashlib.sha256(raw).hexdigest() != sig_hash:
        return found(SourceState.DISAGREE, "other bytes stand at the offset", raw)
    return found(SourceState.OK, raw=raw)


def _ranges(provenance: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The ranges of a row that is not one line, None of one that is. What is no range is left out."""
    ranges = provenance.get("ranges")
    if not isinstance(ranges, list):
        return None
    numbers = ("byte_offset", "byte_end", "lines")
    usable = [
        each
        for each in ranges
        if isinstance(each, dict)
        and isinstance(each.get("source_file"), str)
        and all(type(each.get(name)) is int and each[name] >= 0 for name in numbers)
    ]
    return usable or None


def _lines_in(workspace: Path, settings: Settings, ranges: list[dict[str, Any]]) -> list[bytes] | str:
    """The lines of each range in turn, or which file is gone. Raises InputError or OSError."""
    lines: list[bytes] = []
    reader: SourceReader | None = None
    name = None
    try:
        for each in ranges:
            if each["source_file"] != name or reader is None:
                if reader is not None:
                    reader.close()
                name = each["source_file"]
                path = resolve_source(workspace, settings, name)
                if not path.exists():
                    return f"{name} was rotated away or deleted since it was read"
                reader = SourceReader(path)
            length = min(each["byte_end"] - each["byte_offset"], MAX_GROUP_BYTES)
            raw = reader.read(each["byte_offset"], max(0, length))
            if each["lines"] == 1:
                lines.append(raw)
            else:
                *others, last = raw.split(b"\n")
                lines += [*(other.removesuffix(b"\r") for other in others), last]
        return lines
    finally:
        if reader is not None:
            reader.close()


def _line_at(path: Path, offset: int) -> bytes | None:
    """The line that begins at ``offset``, without its line end; None past the end of the file.

    At most one byte more than a line may have is read: a longer line is no evidence.
    """
    with open_source(path) as file:
        if not _skip(file, offset):
            return None
        pieces: list[bytes] = []
        held = 0
        while held <= MAX_LINE_BYTES and (piece := file.read(_PIECE_BYTES)):
            end = piece.find(b"\n")
            pieces.append(piece if end < 0 else piece[:end])
            held += len(pieces[-1])
            if end >= 0:
                return b"".join(pieces).removesuffix(b"\r")
        return b"".join(pieces) or None


def _skip(file: BinaryIO, offset: int) -> bool:
    """Move to ``offset``, forwards. False when the file is shorter."""
    if file.seekable():
        file.seek(offset)
        return True
    left = offset
    while left > 0:
        piece = file.read(min(left, _PIECE_BYTES))
        if not piece:
            return False
        left -= len(piece)
    return True
