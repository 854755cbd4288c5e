"""What rejected runs answered, packed: 24 bytes an answer and group, and a bit for each sketch.

A row is first compared by its sketches, in a bit map (``sketches.py``). Only a row that hits is
normalised and hashed in full, so that the content wall costs little on rows that are clean.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import NamedTuple

from pipeline.firewall.text_keys import in_group

_BITS_AN_ANSWER = 128  # one clean row in 128 is hashed for nothing at the expected size
_RECORD = 24
_RECORDS_A_SHARD = 32
_FILE_SHIFT = 48


class Place(NamedTuple):
    """Where the evidence of a rejected run lies: number of the file, and byte offset in it."""

    file: int
    offset: int


class RejectedTexts:
    def __init__(self, expected_answers: int = 0) -> None:
        bits = 1 << 16
        while bits < expected_answers * _BITS_AN_ANSWER:
            bits *= 2
        self._bits = bytearray(bits // 8)
        self._bit_mask = bits - 1
        shards = 1
        while shards * _RECORDS_A_SHARD < 2 * expected_answers:
            shards *= 2
        self._shard_mask = shards - 1
        self._shards = [bytearray() for _ in range(shards)]
        self.answers = 0

    def add(self, sketches: Iterable[int], answer: bytes, groups: list[int], place: Place) -> None:
        for sketch in sketches:
            bit = sketch & self._bit_mask
            self._bits[bit >> 3] |= 1 << (bit & 7)
        self.answers += 1
        where = (place.file << _FILE_SHIFT | place.offset).to_bytes(8, "little")
        for group in groups:
            key = in_group(group, answer)
            shard = self._shards[int.from_bytes(key[:4], "little") & self._shard_mask]
            if _find(shard, key) < 0:
                shard += key + where

    def may_hold(self, sketch: int) -> bool:
        """False means that no rejected run gave this answer; True means that it must be looked up."""
        bit = sketch & self._bit_mask
        return bool(self._bits[bit >> 3] & 1 << (bit & 7))

    def find(self, answer: bytes, groups: list[int]) -> Place | None:
        """A rejected run that gave this answer in one of these groups."""
        for group in groups:
            key = in_group(group, answer)
            shard = self._shards[int.from_bytes(key[:4], "little") & self._shard_mask]
            at = _find(shard, key)
            if at >= 0:
                where = int.from_bytes(shard[at + 16 : at + _RECORD], "little")
                return Place(where >> _FILE_SHIFT, where & (1 << _FILE_SHIFT) - 1)
        return None

    @property
    def bytes_held(self) -> int:
        shards = sum(map(sys.getsizeof, self._shards)) + sys.getsizeof(self._shards)
        return shards + sys.getsizeof(self._bits)


def _find(shard: bytearray, key: bytes) -> int:
    at = shard.find(key)
    while at >= 0 and at % _RECORD:
        at = shard.find(key, at + 1)
    return at
