"""What a run knows of the rows of an output that it wrote, kept for the next run.

The digest of each row, one behind the other as the writer takes them, then a footer: which output this
is, which rows carry a stamp of how many bytes, and of rows that are dear to make what they were made
from. The next run then compares rows by their digests, and reads the output itself only where it copies.
It is a cache: without it, or when its checksum is wrong, it is made again from the output.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import zlib
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path

import msgspec

from pipeline.contracts import paths
from pipeline.engine.chunk_index import DIGEST_BYTES
from pipeline.engine.output import Output
from pipeline.platform import confined, disk
from pipeline.storage.digests import unstamp

LEDGER_VERSION = 1
KEY_BYTES = 16
_FLUSH_BYTES = 1 << 20
_TAIL_BYTES = 8  # CRC-32 of all before it but itself, and how long the footer is


class MadeRows(msgspec.Struct, array_like=True):
    """What rows were made from: ``keys`` has one a row, ``lengths`` the bytes of each without its stamp
    (I), and ``refused`` says why there is no row. All hold only under an equal ``context``."""

    context: str = ""
    keys: bytes = b""
    lengths: bytes = b""
    refused: dict[bytes, str] = {}


class _Footer(msgspec.Struct, array_like=True):
    version: int
    sha256: str
    rows: int
    spans: list[tuple[int, int]]
    made: MadeRows


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Footer)


class LedgerWriter:
    """Takes digests as the rows pass. A disk that refuses costs the next run time, and nothing else."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._checksum = 0
        self._descriptor: int | None = None
        with contextlib.suppress(OSError):
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
            self._descriptor = os.open(path, flags, disk.FILE_MODE)

    def add(self, digests: bytes) -> None:
        self._pending.append(digests)
        self._pending_bytes += len(digests)
        if self._pending_bytes >= _FLUSH_BYTES:
            self._flush()

    def finish(self, output_sha256: str, rows: int, spans: Sequence[tuple[int, int]], made: MadeRows) -> None:
        footer = _ENCODER.encode(_Footer(LEDGER_VERSION, output_sha256, rows, list(spans), made))
        self.add(footer)
        self.add(len(footer).to_bytes(4, "little"))
        self._flush()
        self._write(self._checksum.to_bytes(4, "little"))
        self.close()

    def close(self) -> None:
        """Its file, finished or given up, is written to no more."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _flush(self) -> None:
        data = b"".join(self._pending)
        self._pending, self._pending_bytes = [], 0
        self._checksum = zlib.crc32(data, self._checksum)
        self._write(data)

    def _write(self, data: bytes) -> None:
        if self._descriptor is None:
            return
        try:
            disk.write_all(self._descriptor, data)
        except OSError:
            os.close(self._descriptor)
            self._descriptor = None
            disk.discard(self._path)


class Ledger:
    """The rows of an output: ``spans`` are (rows up to here, bytes of the stamp that each carries)."""

    def __init__(self, data: mmap.mmap | bytes, footer: _Footer) -> None:
        self._data = data
        self.rows = footer.rows
        self.spans = footer.spans
        self.made = footer.made

    def digests(self, first: int, rows: int) -> bytes:
        """Those of up to ``rows`` rows from the ``first`` on."""
        end = min(first + rows, self.rows)
        return self._data[DIGEST_BYTES * first : DIGEST_BYTES * end]


def read_ledger(path: Path, output_sha256: str) -> Ledger | None:
    """The ledger of the output with this digest, or None: there is none, or it is not whole."""
    try:
        with disk.open_to_read(path) as file, contextlib.ExitStack() as frame:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            frame.callback(data.close)
            ledger = _ledger_in(data, output_sha256)
            if ledger is not None:
                frame.pop_all()  # it is closed when nobody holds it
            return ledger
    except (OSError, ValueError):
        return None


def _ledger_in(data: mmap.mmap, output_sha256: str) -> Ledger | None:
    view = memoryview(data)
    try:
        body, tail = view[:-_TAIL_BYTES], view[-_TAIL_BYTES:]
        length = int.from_bytes(tail[:4], "little")
        if zlib.crc32(view[:-4]) != int.from_bytes(tail[4:], "little") or length > len(body):
            return None
        try:
            footer = _DECODER.decode(body[len(body) - length :])
        except (msgspec.DecodeError, msgspec.ValidationError):
            return None
        is_whole = len(body) - length == DIGEST_BYTES * footer.rows
    finally:
        for part in (body, tail, view):
            part.release()
    if footer.version != LEDGER_VERSION or footer.sha256 != output_sha256 or not is_whole:
        return None
    return Ledger(data, footer)


def ledger_from(output: Path, output_sha256: str) -> Ledger:
    """The ledger of a standing output, made by reading it. Raises OSError."""
    digests = bytearray()
    spans: list[tuple[int, int]] = []
    rows = 0
    with disk.open_to_read(output) as file:
        for line in disk.lines_in(file, output):
            row = unstamp(line)
            digests += sha256(row).digest()
            rows += 1
            stamp_bytes = len(line) - len(row)
            if spans and spans[-1][1] == stamp_bytes:
                spans[-1] = (rows, stamp_bytes)
            else:
                spans.append((rows, stamp_bytes))
    return Ledger(bytes(digests), _Footer(LEDGER_VERSION, output_sha256, rows, spans, MadeRows()))


def ledger_path(workspace: Path, relative: str) -> Path:
    """Where the ledger of the output ``relative`` is kept."""
    return workspace / paths.LEDGERS / f"{relative}.ledger"


def staged_ledger(staged: Path) -> Path:
    """Where the ledger of a staged output waits."""
    return staged.with_name(f"{staged.name}.ledger")


def keep_ledgers(workspace: Path, staging: Path, outputs: Iterable[Output]) -> None:
    """Keep the ledgers of outputs that now stand. One that was there before may have a new ledger."""
    for output in outputs:
        relative, path = output.relative, staging / output.relative
        if output.staged is None and not staged_ledger(path).exists():
            continue
        place = ledger_path(workspace, relative).relative_to(workspace)
        try:
            with confined.folder_of(workspace, place, make=[]) as (folder, name):
                disk.operations.replace(staged_ledger(path), name, target_in=folder)
        except OSError:
            disk.discard(workspace / place)
