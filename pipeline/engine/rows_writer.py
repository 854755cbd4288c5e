"""Write rows to a staged file, taking both digests as the bytes pass."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from pipeline.engine.chunk_index import DIGEST_BYTES
from pipeline.platform import disk
from pipeline.storage.digests import UNSTAMPED_END, row_end

_FLUSH_BYTES = 1 << 20
_sha256 = hashlib.sha256


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


class Block(NamedTuple):
    """Rows that lie together: the bytes ``start`` to ``end`` of a section, and their digests in a row."""

    start: int
    end: int
    digests: bytes


def blocks(lengths: Iterable[int], digests: bytes, is_kept: Iterable[bool]) -> list[Block]:
    """The rows that are kept of a section, in as few blocks as there are gaps.

    ``lengths`` are those of all rows of a chunk, 0 for one that is not in the section; ``digests`` those of
    the rows that are in it.
    """
    found: list[Block] = []
    end = row = first = start = 0
    was_kept = False
    for length, kept in zip(lengths, is_kept, strict=True):
        if not length:
            continue
        if kept != was_kept:
            if was_kept:
                found.append(Block(start, end, digests[first:row]))
            was_kept, start, first = kept, end, row
        end += length
        row += DIGEST_BYTES
    if was_kept:
        found.append(Block(start, end, digests[first:row]))
    return found


class RowsWriter:
    """Rows without ``recorded_at`` in, stamped rows on disk; ``finish`` syncs the file.

    The folder of ``path`` must exist. Raises OSError; the caller says what was kept safe.
    """

    def __init__(self, path: Path, recorded_at: str) -> None:
        self._path = path
        # What ends a row that has its stamp, in the place of its brace and line end. No text holds a line
        # end as it is, so that whole sections are stamped at once.
        self._row_end = row_end(recorded_at)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, disk.FILE_MODE)
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._file_hash = hashlib.sha256()
        self._rows_hash = hashlib.sha256()
        self._rows = 0
        self._bytes = 0

    def add(self, data: bytes, kept: Iterable[Block]) -> None:
        """The ``kept`` rows of a section."""
        for start, end, digests in kept:
            self._take(data[start:end], digests)

    def add_with(self, data: bytes, spans: Sequence[tuple[int, int]], last_members: Sequence[bytes]) -> None:
        """The rows at ``spans`` of ``data``, each with members of its own put at its end."""
        self.add_lines(
            [
                data[start : end - len(UNSTAMPED_END)] + members + UNSTAMPED_END
                for (start, end), members in zip(spans, last_members, strict=True)
            ]
        )

    def add_lines(self, lines: Sequence[bytes]) -> None:
        """Rows made here, each a whole line."""
        self._take(b"".join(lines), b"".join([_sha256(line).digest() for line in lines]))

    def add_row(self, row: dict[str, Any]) -> None:
        """One row made here."""
        self.add_lines([orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)])

    def _take(self, rows: bytes, digests: bytes) -> None:
        self._rows_hash.update(digests)
        self._rows += len(digests) // DIGEST_BYTES
        self._pending.append(rows)
        self._pending_bytes += len(rows)
        if self._pending_bytes >= _FLUSH_BYTES:
            self._flush()

    def _flush(self) -> None:
        stamped = b"".join(self._pending).replace(UNSTAMPED_END, self._row_end)
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
