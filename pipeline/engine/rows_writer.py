"""Write rows to a staged file, taking both digests as the bytes pass."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from pipeline.platform import disk
from pipeline.storage.digests import UNSTAMPED_END, row_end

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
        # What ends a row that has its stamp: put between rows that end before their brace.
        self._row_end = row_end(recorded_at)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, disk.FILE_MODE)
        self._pending: list[bytes | memoryview] = []
        self._pending_bytes = 0
        self._file_hash = hashlib.sha256()
        self._rows_hash = hashlib.sha256()
        self._rows = 0
        self._bytes = 0

    def add(self, data: bytes, spans: Sequence[tuple[int, int]], digests: Sequence[bytes]) -> None:
        """The rows at ``spans`` of ``data``, each a whole line, and the sha256 of each."""
        view = memoryview(data)
        self._take([view[start : end - len(UNSTAMPED_END)] for start, end in spans], digests)

    def add_with(self, data: bytes, spans: Sequence[tuple[int, int]], last_members: Sequence[bytes]) -> None:
        """The rows at ``spans`` of ``data``, each with members of its own put at its end."""
        rows, digests = [], []
        for (start, end), members in zip(spans, last_members, strict=True):
            row = data[start : end - len(UNSTAMPED_END)] + members
            rows.append(row)
            digests.append(hashlib.sha256(row + UNSTAMPED_END).digest())
        self._take(rows, digests)

    def add_lines(self, lines: Sequence[bytes]) -> None:
        """Rows made here, each a whole line."""
        digests = [hashlib.sha256(line).digest() for line in lines]
        self._take([line[: -len(UNSTAMPED_END)] for line in lines], digests)

    def add_row(self, row: dict[str, Any]) -> None:
        """One row made here."""
        self.add_lines([orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)])

    def _take(self, rows: Sequence[bytes | memoryview], digests: Sequence[bytes]) -> None:
        self._rows_hash.update(b"".join(digests))
        self._rows += len(digests)
        self._pending += rows
        self._pending_bytes += sum(map(len, rows))
        if self._pending_bytes >= _FLUSH_BYTES:
            self._flush()

    def _flush(self) -> None:
        self._pending.append(b"")
        stamped = self._row_end.join(self._pending)
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
