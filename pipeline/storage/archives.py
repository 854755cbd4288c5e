"""Sources as bytes, whether they lie plain or in gzip, zstd, bzip2 or xz.

What a file is, its first bytes say; its name says nothing. Offsets are those of the
decompressed bytes. An archive may have any number of members (frames, streams), one after the
other. ``extent_of`` says how much of one can be used:

* cut short: everything up to the cut, since nothing says that the bytes before it are not those
  that were written;
* damaged: the members before the damaged one. Which of its bytes are wrong nobody can say: one
  flipped bit often decodes to another text without any error before the checksum at the end;
* grown beyond measure (a bomb): nothing.
"""

from __future__ import annotations

import bz2
import io
import lzma
import os
import re
import stat
import zlib
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol, cast

from pipeline.contracts.faults import InputError


class Compression(StrEnum):
    GZIP = "gzip"
    ZSTD = "zstd"
    BZIP2 = "bzip2"
    XZ = "xz"


class Ending(StrEnum):
    """How a source ends, which decides what a last line without a line end is.

    OPEN: its writer may go on; CLOSED: nothing more comes. The others end an archive before its end.
    """

    OPEN = "open"
    CLOSED = "closed"
    CUT_SHORT = "cut short"
    DAMAGED = "damaged"
    BOMB = "grown beyond measure"

    @property
    def is_early(self) -> bool:
        return self not in (Ending.OPEN, Ending.CLOSED)


class Extent(NamedTuple):
    """How many (decompressed) bytes of a source can be used, and how they end."""

    bytes: int
    ending: Ending
    compression: Compression | None


# The second of zstd's is a skippable frame, which parallel compressors put in front.
_FIRST_BYTES: dict[Compression, re.Pattern[bytes]] = {
    Compression.GZIP: re.compile(rb"\x1f\x8b"),
    Compression.ZSTD: re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"),
    Compression.BZIP2: re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"),
    Compression.XZ: re.compile(rb"\xfd7zXZ\0"),
}
_HEAD_BYTES = 10
# How much compressed input is taken at once. A piece of gzip expands to 1,032 times its size at most, one
# of zstd to 32,768 times (a block of four bytes that repeats one byte): 16 MiB and 8 MiB.
_PIECE_BYTES = {
    Compression.GZIP: 16 * 2**10,
    Compression.ZSTD: 256,
    Compression.BZIP2: 2 * 2**10,
    Compression.XZ: 2**10,
}
# These two can be told how much to hand out; of the most repetitive data 37 bytes of bzip2 are 45 MB.
_BOUNDED = (Compression.BZIP2, Compression.XZ)
_MOST_AT_ONCE = 2**20
_INPUT_BLOCK = 64 * 2**10
# Logs shrink to a tenth or a fiftieth. What expands more than this, and to more than that, is a
# bomb, or so repetitive that there is nothing to be learned from it.
MOST_EXPANSION = 250
BOMB_FROM_BYTES = 64 * 2**20
# What xz may hold while it reads; `xz -9` needs 65 MiB.
_XZ_MEMORY = 256 * 2**20

_COMPLAINTS = {
    Ending.CUT_SHORT: ("archive_truncated", "ends in the middle of its data"),
    Ending.DAMAGED: ("archive_corrupt", "is damaged"),
    Ending.BOMB: ("archive_bomb", f"grows to more than {MOST_EXPANSION} times its size"),
}


def open_source(path: Path) -> BinaryIO:
    """``path``'s decompressed bytes. Raises InputError, here and in ``read``.

    An early end is raised after the bytes of ``extent_of`` have been handed out, or later.
    """
    file = open_regular(path)
    compression = compression_of(file.read(_HEAD_BYTES))
    file.seek(0)
    if compression is None:
        return file
    return cast(BinaryIO, _Archive(file, path, compression))


def extent_of(path: Path) -> Extent:
    """How much of ``path`` can be used. Reads an archive to its end. Raises InputError."""
    with open_regular(path) as file:
        compression = compression_of(file.read(_HEAD_BYTES))
        if compression is None:
            return Extent(os.fstat(file.fileno()).st_size, Ending.OPEN, None)
        file.seek(0)
        return _Archive(file, path, compression).extent()


def compression_of(head: bytes) -> Compression | None:
    """What the first bytes of a file say that it is compressed with."""
    return next((kind for kind, first in _FIRST_BYTES.items() if first.match(head)), None)


def open_regular(path: Path) -> BinaryIO:
    """A file that can be read to its end. Raises InputError, also for a pipe or a device."""
    try:
        # O_NONBLOCK: a named pipe would block whoever opens it.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _unreadable(path, "it is no regular file")
    return os.fdopen(descriptor, "rb")


def _unreadable(path: Path, why: str) -> InputError:
    return InputError.of(
        code="source_unreadable",
        what_happened=f"{path} cannot be read: {why}.",
        kept_safe="Nothing was written; the last outputs are in place.",
        do_next=f"Make it readable, or take it out of its stream's path: ls -l {path}",
        file=str(path),
    )


class _Archive(io.BufferedIOBase):
    """A sequence of compressed members, read as one stream of bytes; forwards only."""

    def __init__(self, file: BinaryIO, path: Path, compression: Compression) -> None:
        self._file = file
        self._path = path
        self._compression = compression
        self._new_member = _MEMBERS[compression]
        self._member = self._new_member()
        self._inside_member = False
        self._holds_more = False
        self._input = memoryview(b"")
        self._taken = 0
        self._given = 0
        self._ready = bytearray()
        self._ending: Ending | None = None
        # Decompressed bytes up to the end of the last whole member.
        self._sound = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = None if size is None or size < 0 else size
        while self._ending is None and (wanted is None or len(self._ready) < wanted):
            self._decompress_piece()
        if self._ending is not None and self._ending.is_early and not self._ready and wanted != 0:
            raise self._fault(self._ending)
        taken = bytes(self._ready if wanted is None else self._ready[:wanted])
        del self._ready[: len(taken)]
        return taken

    def read1(self, size: int = -1, /) -> bytes:
        return self.read(size)

    def extent(self) -> Extent:
        """What can be used; nothing can be read afterwards."""
        while self._ending is None:
            self._decompress_piece()
            self._ready.clear()
        usable = {Ending.DAMAGED: self._sound, Ending.BOMB: 0}
        return Extent(usable.get(self._ending, self._given), self._ending, self._compression)

    def close(self) -> None:
        self._file.close()
        super().close()

    def _decompress_piece(self) -> None:
        piece = b"" if self._holds_more else self._next_piece()
        if not piece and not self._holds_more:
            self._ending = Ending.CUT_SHORT if self._inside_member else Ending.CLOSED
            return
        try:
            while piece or self._holds_more:
                # gzip and xz may be padded with zeros after a member.
                if not self._inside_member and self._compression in _PADDED:
                    piece = piece.lstrip(b"\0")
                    if not piece:
                        return
                self._inside_member = True
                self._take(self._expanded(piece))
                if not self._member.eof:
                    return
                piece = self._member.unused_data
                self._member = self._new_member()
                self._inside_member = False
                self._sound = self._given
        except Exception as error:
            if not isinstance(error, _damage_errors(self._compression)):
                raise
            self._ending = Ending.DAMAGED

    def _expanded(self, piece: bytes) -> bytes:
        """What ``piece`` is, or as much as may be held at once; the member then holds more."""
        member = self._member
        if self._compression not in _BOUNDED:
            return member.decompress(piece)
        member = cast(bz2.BZ2Decompressor | lzma.LZMADecompressor, member)
        data = member.decompress(piece, _MOST_AT_ONCE)
        self._holds_more = not member.eof and not member.needs_input
        return data

    def _next_piece(self) -> bytes:
        if not self._input:
            self._input = memoryview(self._file.read(_INPUT_BLOCK))
        size = _PIECE_BYTES[self._compression]
        piece, self._input = bytes(self._input[:size]), self._input[size:]
        self._taken += len(piece)
        return piece

    def _take(self, data: bytes) -> None:
        self._ready += data
        self._given += len(data)
        if self._given > BOMB_FROM_BYTES and self._given > MOST_EXPANSION * self._taken:
            self._ending = Ending.BOMB

    def _fault(self, ending: Ending) -> InputError:
        code, complaint = _COMPLAINTS[ending]
        return InputError.of(
            code=code,
            what_happened=f"{self._path} ({self._compression}) {complaint}.",
            kept_safe="Everything before the damage was read; the last outputs are in place.",
            do_next=f"Fetch the file again and test it: {self._compression} -t {self._path}",
            file=str(self._path),
        )


class _Member(Protocol):
    """The part of the four libraries' decompression objects that all have."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


def _zstd_member() -> _Member:
    import zstandard  # needed by workspaces with such sources only

    return cast(_Member, zstandard.ZstdDecompressor().decompressobj())


_MEMBERS: dict[Compression, Callable[[], _Member]] = {
    Compression.GZIP: lambda: cast(_Member, zlib.decompressobj(wbits=31)),
    Compression.ZSTD: _zstd_member,
    Compression.BZIP2: bz2.BZ2Decompressor,
    Compression.XZ: lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY),
}
_PADDED = (Compression.GZIP, Compression.XZ)


def _damage_errors(compression: Compression) -> tuple[type[Exception], ...]:
    match compression:
        case Compression.GZIP:
            return (zlib.error,)
        case Compression.BZIP2:
            return (OSError,)
        case Compression.XZ:
            return (lzma.LZMAError,)
        case Compression.ZSTD:
            import zstandard

            return (zstandard.ZstdError,)
