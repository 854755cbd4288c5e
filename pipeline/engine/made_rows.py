"""Rows that are dear to make, taken from the output that stands when they would be made from the same again.

What a row is made from has a key. A standing row is believed when its bytes have the digest that was
noted when it was made; else it is made again.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Mapping
from hashlib import sha256
from itertools import accumulate, chain, repeat
from operator import add
from pathlib import Path

from pipeline.engine.ledger import KEY_BYTES, MadeRows
from pipeline.engine.standing_rows import StandingRows
from pipeline.platform import disk
from pipeline.storage.digests import unstamp

# Of more rows than this, their keys would take too much memory; they are made again.
MOST_NOTED = 2_000_000


class MadeBefore:
    """The rows of ``standing`` that were made under this ``context``. Use it in a ``with`` block."""

    def __init__(self, workspace: Path, standing: StandingRows | None, context: str) -> None:
        self.refused: Mapping[bytes, str] = {}
        """Why what has this key makes no row."""
        self._numbers: dict[bytes, int] = {}
        self._descriptor: int | None = None
        if standing is None or standing.ledger.made.context != context:
            return
        self._ledger, made = standing.ledger, standing.ledger.made
        self._path = workspace / standing.output.relative
        keys = made.keys
        self._numbers = {
            keys[at : at + KEY_BYTES]: number for number, at in enumerate(range(0, len(keys), KEY_BYTES))
        }
        self.refused = made.refused
        starts = (0, *(up_to for up_to, _ in self._ledger.spans))
        stamps = chain.from_iterable(
            repeat(stamp_bytes, up_to - start)
            for start, (up_to, stamp_bytes) in zip(starts, self._ledger.spans, strict=False)
        )
        self._ends = array("Q", accumulate(map(add, array("I", made.lengths), stamps)))

    def __enter__(self) -> MadeBefore:
        return self

    def __exit__(self, *_: object) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def row(self, key: bytes) -> tuple[bytes, bytes] | None:
        """The row with this key, without its stamp, and its digest; None when it has to be made.

        Raises OSError.
        """
        number = self._numbers.get(key)
        if number is None:
            return None
        if self._descriptor is None:
            self._descriptor = disk.open_plain(self._path)
        start = self._ends[number - 1] if number else 0
        line = unstamp(os.pread(self._descriptor, self._ends[number] - start, start))
        digest = sha256(line).digest()
        return (line, digest) if digest == self._ledger.digests(number, 1) else None


class NoteMade:
    """What the rows of a new output are made from, one note a row in their order; nothing of too many."""

    def __init__(self, context: str) -> None:
        self._context = context
        self._left = MOST_NOTED
        self._keys = bytearray()
        self._lengths = array("I")
        self._refused: dict[bytes, str] = {}

    def row(self, key: bytes, line: bytes) -> None:
        if self._has_room():
            self._keys += key
            self._lengths.append(len(line))

    def refused(self, key: bytes, refusal: str) -> None:
        if self._has_room():
            self._refused[key] = refusal

    def _has_room(self) -> bool:
        if not self._left:
            self._context, self._keys, self._lengths, self._refused = "", bytearray(), array("I"), {}
            return False
        self._left -= 1
        return True

    def noted(self) -> MadeRows:
        return MadeRows(self._context, bytes(self._keys), self._lengths.tobytes(), self._refused)
