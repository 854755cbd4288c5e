"""The very bytes of a source line, and whether they are still those that were read.

Plain files are read at the offset; in gzip and zstd archives the bytes before it are passed
over. Nothing is held but the line.
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
from pipeline.streams.files import resolve_source

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

    def found(state: SourceState, why: str = "", raw: bytes | None = None) -> SourceBytes:
        digest = None if raw is None else hashlib.sha256(raw).hexdigest()
        return SourceBytes(name, line, offset, sig_hash, state, why, raw, digest)

    try:
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
