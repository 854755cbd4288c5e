"""Write rows to a staged file, taking both digests as the bytes pass."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from pipeline.storage import disk
from pipeline.storage.digests import stamp

_FLUSH_BYTES = 1 << 20


@dataclass(frozen=True)
class Output:
    """One output file of a run. ``staged`` is None when the standing file was kept as it is.

    ``plan_digest`` says which rows were to be written; an equal one means that the standing
    file, still whole, already holds them.
    """

    relative: str
    staged: str | None
    bytes: int
    rows: int
    sha256: str
    rows_digest: str
    plan_digest: str


class RowsWriter:
    """Rows without ``recorded_at`` in, stamped rows on disk; ``finish`` syncs the file.

    The folder of ``path`` must exist. Raises OSError; the caller says what was kept safe.
    """

    def __init__(self, path: Path, recorded_at: str) -> None:
        self._path = path
        self._recorded_at = recorded_at
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, disk.FILE_MODE)
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._file_hash = hashlib.sha256()
        self._rows_hash = hashlib.sha256()
        self._rows = 0
        self._bytes = 0

    def add(self, rows: bytes, digests: bytes) -> None:
        """Whole lines, and the concatenated sha256 of each of them."""
        self._rows_hash.update(digests)
        self._rows += len(digests) // 32
        self._pending.append(rows)
        self._pending_bytes += len(rows)
        if self._pending_bytes >= _FLUSH_BYTES:
            self._flush()

    def add_row(self, row: dict[str, Any]) -> None:
        """One row made here."""
        line = orjson.dumps(row) + b"\n"
        self.add(line, hashlib.sha256(line).digest())

    def _flush(self) -> None:
        stamped = stamp(b"".join(self._pending), self._recorded_at)
        self._pending, self._pending_bytes = [], 0
        disk.write_all(self._descriptor, stamped)
        self._file_hash.update(stamped)
        self._bytes += len(stamped)

    def finish(self, relative: str, plan_digest: str | None = None) -> Output:
        self._flush()
        disk.operations.fsync(self._descriptor)
        os.close(self._descriptor)
        rows_digest = self._rows_hash.hexdigest()
        return Output(
            relative=relative,
            staged=str(self._path),
            bytes=self._bytes,
            rows=self._rows,
            sha256=self._file_hash.hexdigest(),
            rows_digest=rows_digest,
            plan_digest=plan_digest or rows_digest,
        )
