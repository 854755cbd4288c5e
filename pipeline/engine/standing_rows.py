"""The rows of an output that stands, as far as a new one begins with the same rows.

A row keeps its first ``recorded_at`` as long as it and all rows before it are unchanged: what an output
was before it grew is then copied as it is, stamps and all. Where the new rows part from the standing
ones is a matter of rows alone, so that neither chunks nor workers have a say.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.engine.chunk_index import DIGEST_BYTES
from pipeline.engine.ledger import (
    Ledger,
    LedgerWriter,
    MadeRows,
    ledger_from,
    ledger_path,
    read_ledger,
    staged_ledger,
)
from pipeline.engine.output import Output
from pipeline.platform.disk import open_to_read
from pipeline.storage.digests import READ_BYTES, unstamp

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

_ROWS_AT_ONCE = 1 << 15


class StandingChangedError(Exception):
    """The standing output is not what it was known to be: it must not be built upon."""


class StandingRows:
    """``output`` stands in ``workspace`` and was found whole. ``rows`` and ``bytes`` are how far it agrees
    with what ``agree`` was told.

    Raises OSError.
    """

    def __init__(self, workspace: Path, output: Output) -> None:
        self.output = output
        self._path = workspace / output.relative
        self._known = read_ledger(ledger_path(workspace, output.relative), output.sha256)
        self.ledger: Ledger = self._known or ledger_from(self._path, output.sha256)
        self.rows = 0
        self.bytes = 0
        self._span = 0

    @property
    def is_all(self) -> bool:
        """Whether every standing row was agreed with."""
        return self.rows == self.ledger.rows

    def agree(self, digests: bytes, length: Callable[[int], int]) -> int:
        """How many of the rows with these ``digests`` are the next ones that stand.

        ``length`` gives the bytes of so many of the first rows, without stamps.
        """
        standing = self.ledger.digests(self.rows, len(digests) // DIGEST_BYTES)
        same = len(standing) if digests.startswith(standing) else _common(digests, standing)
        count = same // DIGEST_BYTES
        if count:
            self.bytes += length(count) + self._stamps(self.rows, self.rows + count)
            self.rows += count
        return count

    def _stamps(self, start: int, end: int) -> int:
        """The bytes of the stamps of the rows from ``start`` to ``end``."""
        total = 0
        while start < end:
            up_to, stamp_bytes = self.ledger.spans[self._span]
            part = min(up_to, end)
            total += (part - start) * stamp_bytes
            start = part
            if start == up_to:
                self._span += 1
        return total

    def spans(self) -> list[tuple[int, int]]:
        """The ledger's, of the rows that were agreed with."""
        found: list[tuple[int, int]] = []
        for up_to, stamp_bytes in self.ledger.spans:
            if not found or found[-1][0] < self.rows:
                found.append((min(up_to, self.rows), stamp_bytes))
        return found if self.rows else []

    def digests(self) -> Iterator[bytes]:
        """Those of the rows that were agreed with, many at a time."""
        for first in range(0, self.rows, _ROWS_AT_ONCE):
            yield self.ledger.digests(first, min(_ROWS_AT_ONCE, self.rows - first))

    def renew_ledger(self, staged: Path, made: MadeRows) -> None:
        """Stage the ledger of an output that stays, where it says something else now or could not be read.

        ``staged`` is where the output would have been staged.
        """
        if self._known is not None and self._known.made == made:
            return
        ledger = LedgerWriter(staged_ledger(staged))
        for digests in self.digests():
            ledger.add(digests)
        ledger.finish(self.output.sha256, self.rows, self.ledger.spans, made)

    def copy_to(self, write: Callable[[bytes], None], hasher: Hash) -> None:
        """Hand the agreed rows' bytes to ``write``, which also takes their digest in ``hasher``.

        Raises StandingChangedError when they are not what was agreed with.
        """
        rows = None if self.is_all else _RowProof(self.ledger)
        left = self.bytes
        with open_to_read(self._path) as file:
            while left:
                piece = file.read(min(left, READ_BYTES))
                if not piece:
                    raise StandingChangedError(str(self._path))
                left -= len(piece)
                if rows is not None:
                    rows.add(piece)
                write(piece)
        holds = hasher.hexdigest() == self.output.sha256 if rows is None else rows.holds(self.rows)
        if not holds:
            raise StandingChangedError(str(self._path))


def _common(one: bytes, other: bytes) -> int:
    """Bytes of the digests that both begin with."""
    at = 0
    while at < len(other) and one[at : at + DIGEST_BYTES] == other[at : at + DIGEST_BYTES]:
        at += DIGEST_BYTES
    return at


class _RowProof:
    """Each row has the known digest."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._rest = b""
        self._rows = 0
        self._same = True

    def add(self, piece: bytes) -> None:
        *lines, self._rest = (self._rest + piece).split(b"\n")
        found = b"".join([hashlib.sha256(unstamp(line + b"\n")).digest() for line in lines])
        self._same = self._same and found == self._ledger.digests(self._rows, len(lines))
        self._rows += len(lines)

    def holds(self, rows: int) -> bool:
        return self._same and not self._rest and self._rows == rows
