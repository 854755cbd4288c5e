"""The pairs that the reduce chose, in the order of their tasks' first attempts."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from heapq import merge
from operator import itemgetter

from pipeline.engine.spool import Spool

_HEAD = struct.Struct("<8sII")
_PLACE = struct.Struct(">II")
Pair = tuple[bytes, bytes]
"""Chosen and rejected run, as ``candidates`` packs them."""


class Pairs:
    """May be read many times, a pair at a time. Put the tasks of a partition in the order of their first
    attempts."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._pairs = 0

    def __len__(self) -> int:
        return self._pairs

    def put(self, partition: int, first: tuple[int, int], pair: Pair) -> None:
        """Add a pair of the task whose first attempt is at ``first``, after the pairs that it has."""
        chosen, rejected = pair
        head = _HEAD.pack(_PLACE.pack(*first), len(chosen), len(rejected))
        self._spool.of_byte[partition] += head + chosen + rejected
        self._pairs += 1

    def settle(self) -> None:
        self._spool.settle()

    def __iter__(self) -> Iterator[Pair]:
        in_order = merge(*map(self._of_partition, range(self._spool.partitions)), key=itemgetter(0))
        return ((chosen, rejected) for _, chosen, rejected in in_order)

    def _of_partition(self, number: int) -> Iterator[tuple[bytes, bytes, bytes]]:
        rest = b""
        for piece in self._spool.pieces(number):
            rest += piece
            at = 0
            while len(rest) >= at + _HEAD.size:
                first, chosen, rejected = _HEAD.unpack_from(rest, at)
                between = at + _HEAD.size + chosen
                end = between + rejected
                if end > len(rest):
                    break
                yield first, rest[at + _HEAD.size : between], rest[between:end]
                at = end
            rest = rest[at:]
