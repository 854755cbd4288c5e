"""Sources as bytes, whether they lie plain, in gzip or in zstd.

What a file is, its first bytes say; its name says nothing. Offsets are those of the
decompressed bytes. An archive that is cut short or damaged raises InputError with its name,
after every byte before the damage has been handed out.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Literal, Protocol, cast

from pipeline.contracts.faults import Fault, InputError

Compression = Literal["gzip", "zstd"]

_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
# How much compressed input is taken at once. zstd has no limit on what a piece expands to, so
# its pieces are small: 4 KiB of the most repetitive data is 128 MiB.
_PIECE_BYTES: dict[Compression, int] = {"gzip": 64 * 2**10, "zstd": 4 * 2**10}


def open_source(path: Path) -> BinaryIO:
    """``path``'s decompressed bytes. Raises InputError, here and in ``read``."""
    file = _open_plain(path)
    compression = _compression(file.read(4))
    file.seek(0)
    if compression is None:
        return file
    return cast(BinaryIO, _Archive(file, path, compression))


def _open_plain(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(
            Fault(
                code="source_unreadable",
                what_happened=f"{path} cannot be read: {error.strerror}.",
                kept_safe="Nothing was written; the last outputs are in place.",
                do_next=f"Make it readable, or take it out of its stream's path: ls -l {path}",
                file=str(path),
            )
        ) from error


def _compression(head: bytes) -> Compression | None:
    if head.startswith(_GZIP_MAGIC):
        return "gzip"
    if head.startswith(_ZSTD_MAGIC):
        return "zstd"
    return None


class _Archive(io.BufferedIOBase):
    """A sequence of compressed members, read as one stream of bytes; forwards only."""

    def __init__(self, file: BinaryIO, path: Path, compression: Compression) -> None:
        self._file = file
        self._path = path
        self._compression = compression
        self._new_member = _member_maker(compression)
        self._member = self._new_member()
        self._inside_member = False
        self._ready = bytearray()
        self._damage: InputError | None = None
        self._ended = False

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = None if size is None or size < 0 else size
        while not self._ended and self._damage is None and (wanted is None or len(self._ready) < wanted):
            self._decompress_piece()
        if self._damage is not None and not self._ready and wanted != 0:
            raise self._damage
        taken = bytes(self._ready if wanted is None else self._ready[:wanted])
        del self._ready[: len(taken)]
        return taken

    def read1(self, size: int = -1, /) -> bytes:
        return self.read(size)

    def close(self) -> None:
        self._file.close()
        super().close()

    def _decompress_piece(self) -> None:
        piece = self._file.read(_PIECE_BYTES[self._compression])
        if not piece:
            if self._inside_member:
                self._damage = self._fault("archive_truncated", "ends in the middle of its data")
            self._ended = True
            return
        try:
            while piece:
                # gzip may be padded with zeros after its last member.
                if not self._inside_member and self._compression == "gzip" and not piece.strip(b"\0"):
                    return
                self._inside_member = True
                self._ready += self._member.decompress(piece)
                if not self._member.eof:
                    return
                piece = self._member.unused_data
                self._member = self._new_member()
                self._inside_member = False
        except Exception as error:
            if not isinstance(error, _damage_errors(self._compression)):
                raise
            self._damage = self._fault("archive_corrupt", "is damaged")

    def _fault(self, code: str, complaint: str) -> InputError:
        return InputError(
            Fault(
                code=code,
                what_happened=f"{self._path} ({self._compression}) {complaint}.",
                kept_safe="Everything before the damage was read; the last outputs are in place.",
                do_next=f"Fetch the file again and test it: {self._compression} -t {self._path}",
                file=str(self._path),
            )
        )


class _Member(Protocol):
    """The part of zlib's and zstandard's decompression objects that both have."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


def _member_maker(compression: Compression) -> Callable[[], _Member]:
    if compression == "gzip":
        return lambda: cast(_Member, zlib.decompressobj(wbits=31))
    import zstandard  # needed by workspaces with such sources only

    return lambda: cast(_Member, zstandard.ZstdDecompressor().decompressobj())


def _damage_errors(compression: Compression) -> tuple[type[Exception], ...]:
    if compression == "gzip":
        return (zlib.error,)
    import zstandard

    return (zstandard.ZstdError,)
