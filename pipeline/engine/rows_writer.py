"""Write rows to a staged file, taking both digests as the bytes pass."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from pipeline.engine.chunk_index import DIGEST_BYTES
from pipeline.engine.ledger import LedgerWriter, MadeRows, staged_ledger
from pipeline.engine.output import Output
from pipeline.engine.standing_rows import StandingRows
from pipeline.platform import disk
from pipeline.storage.digests import UNSTAMPED_END, row_end

_FLUSH_BYTES = 1 << 20
_sha256 = hashlib.sha256
_made: ContextVar[list[RowsWriter] | None] = ContextVar("_made", default=None)


@contextlib.contextmanager
def closing_writers() -> Iterator[None]:
    """For the block: what it leaves half written is closed at its end.

    An error keeps the frames alive in which writers are, and no collector looks while a run is at work.
    """
    made: list[RowsWriter] = []
    token = _made.set(made)
    try:
        yield
    finally:
        _made.reset(token)
        for writer in made:
            writer.close()


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

    As long as the rows are those of ``standing``, nothing is written; from the first other row on the
    staged file at ``path`` is made, which begins with the standing bytes. The folder of ``path`` must exist.
    Raises OSError, and StandingChangedError; the caller says what was kept safe.
    """

    def __init__(self, path: Path, recorded_at: str, standing: StandingRows | None = None) -> None:
        self._path = path
        self.standing = standing
        # What ends a row that has its stamp, in the place of its brace and line end. No text holds a line
        # end as it is, so that whole sections are stamped at once.
        self._row_end = row_end(recorded_at)
        self._agreeing = standing
        self._descriptor = -1
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._file_hash = hashlib.sha256()
        self._rows_hash = hashlib.sha256()
        self._rows = 0
        self._bytes = 0
        self._spans: list[tuple[int, int]] = []
        self._ledger: LedgerWriter
        if (made := _made.get()) is not None:
            made.append(self)
        if standing is None:
            self._begin()

    def add(self, read: Callable[[], bytes], kept: Iterable[Block]) -> None:
        """The ``kept`` rows of a section, which ``read`` reads when its bytes are needed."""
        data: bytes | None = None
        for block in kept:
            same = self._agree(block.digests, partial(_bytes_of, read, block))
            digests = block.digests[same * DIGEST_BYTES :]
            if digests:
                data = read() if data is None else data
                rows = data[block.start : block.end]
                self._write(rows[_end_of(rows, same) :], digests)

    def add_with(self, data: bytes, spans: Sequence[tuple[int, int]], last_members: Sequence[bytes]) -> None:
        """The rows at ``spans`` of ``data``, each with members of its own put at its end."""
        self.add_lines(
            [
                data[start : end - len(UNSTAMPED_END)] + members + UNSTAMPED_END
                for (start, end), members in zip(spans, last_members, strict=True)
            ]
        )

    def add_lines(self, lines: Sequence[bytes], known: Sequence[bytes] | None = None) -> None:
        """Rows made here, each a whole line, with their digests where those are ``known``."""
        digests = b"".join([_sha256(line).digest() for line in lines] if known is None else known)
        same = self._agree(digests, lambda rows: sum(map(len, lines[:rows])))
        if same < len(lines):
            self._write(b"".join(lines[same:]), digests[same * DIGEST_BYTES :])

    def add_row(self, row: dict[str, Any]) -> None:
        """One row made here."""
        self.add_lines([orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)])

    def _agree(self, digests: bytes, length: Callable[[int], int]) -> int:
        """How many of these rows are the next ones that stand; the staged file begins if not all are."""
        if self._agreeing is None:
            return 0
        same = self._agreeing.agree(digests, length)
        if same * DIGEST_BYTES < len(digests):
            self._begin()
        return same

    def _begin(self) -> None:
        """Make the staged file, with the rows that the standing one begins with."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(self._path, flags, disk.FILE_MODE)
        self._ledger = LedgerWriter(staged_ledger(self._path))
        agreed, self._agreeing = self._agreeing, None
        if agreed is None or not agreed.rows:
            return
        for digests in agreed.digests():
            self._rows_hash.update(digests)
            self._ledger.add(digests)
        self._rows, self._spans = agreed.rows, agreed.spans()
        agreed.copy_to(self._put, self._file_hash)

    def _write(self, rows: bytes, digests: bytes) -> None:
        self._rows_hash.update(digests)
        self._ledger.add(digests)
        self._rows += len(digests) // DIGEST_BYTES
        self._pending.append(rows)
        self._pending_bytes += len(rows)
        if self._pending_bytes >= _FLUSH_BYTES:
            self._flush()

    def _flush(self) -> None:
        stamped: list[bytes | memoryview] = []
        for rows in self._pending:
            stamped += _stamped(rows, self._row_end)
        self._pending, self._pending_bytes = [], 0
        self._put(b"".join(stamped))

    def _put(self, stamped: bytes) -> None:
        disk.write_all(self._descriptor, stamped)
        self._file_hash.update(stamped)
        self._bytes += len(stamped)

    def close(self) -> None:
        """Give up on a file that is not finished. Again, and after ``finish``: nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
            self._ledger.close()

    def finish(self, relative: str, made: MadeRows | None = None) -> Output:
        """The output; the standing one where it holds the same rows. ``made`` is for its ledger."""
        if self._agreeing is not None:
            if self._agreeing.is_all:
                self._agreeing.renew_ledger(self._path, made or MadeRows())
                return self._agreeing.output
            self._begin()
        self._flush()
        disk.operations.fsync(self._descriptor)
        os.close(self._descriptor)
        self._descriptor = -1
        sha256 = self._file_hash.hexdigest()
        spans = [*self._spans, (self._rows, len(self._row_end) - len(UNSTAMPED_END))]
        self._ledger.finish(sha256, self._rows, spans, made or MadeRows())
        return Output(
            relative=relative,
            staged=str(self._path),
            bytes=self._bytes,
            rows=self._rows,
            sha256=sha256,
            rows_digest=self._rows_hash.hexdigest(),
        )


def _stamped(rows: bytes, end: bytes) -> list[bytes | memoryview]:
    """The pieces of ``rows`` with ``end`` in the place of each row's brace and line end.

    Five times as fast as to replace the ends, of which the brace is everywhere: no row is copied.
    """
    view, find = memoryview(rows), rows.find
    pieces: list[bytes | memoryview] = []
    start = 0
    while (stop := find(b"\n", start)) >= 0:
        pieces += (view[start : stop - 1], end)
        start = stop + 1
    return pieces


def _bytes_of(read: Callable[[], bytes], block: Block, rows: int) -> int:
    """The bytes of the first ``rows`` rows of a block."""
    if rows * DIGEST_BYTES == len(block.digests):
        return block.end - block.start
    return _end_of(read()[block.start : block.end], rows)


def _end_of(data: bytes, rows: int) -> int:
    """Where the first ``rows`` lines of ``data`` end."""
    end = 0
    for _ in range(rows):
        end = data.index(b"\n", end) + 1
    return end
