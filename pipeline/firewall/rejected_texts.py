"""What rejected runs answered, packed: 24 bytes an answer and question, and a bit for each sketch.

A row is first compared by its sketches, in a bit map (``sketches.py``). Only a row that hits is
normalised and hashed in full, so that the content wall costs little on rows that are clean.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

from pipeline.firewall.places import Place
from pipeline.firewall.same_answer import KEY_BYTES, LOOSE_BYTES

_BITS_AN_ANSWER = 128  # one clean row in 128 is hashed for nothing at the expected size
_RECORD = KEY_BYTES + 8
_RECORDS_A_SHARD = 32
_IS_CODE = 1 << 63


class Match(NamedTuple):
    """A rejected run with the same answer. ``is_strict``: not only loosely the same."""

    place: Place
    is_strict: bool


class ToldTexts(NamedTuple):
    """All of ``RejectedTexts``: the bit map, the records of all shards, and the length of each shard."""

    bits: bytes
    records: bytes
    shards: list[int]
    answers: int


class RejectedTexts:
    """``added_tails`` are the first sketches of what was added since it was made or restored."""

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
        self.added_tails: set[int] = set()

    @classmethod
    def of_told(cls, told: ToldTexts) -> RejectedTexts:
        texts = cls()
        texts._bits = bytearray(told.bits)
        texts._bit_mask = 8 * len(told.bits) - 1
        texts._shard_mask = len(told.shards) - 1
        ends = list(accumulate(told.shards))
        texts._shards = [
            bytearray(told.records[end - length : end]) for end, length in zip(ends, told.shards, strict=True)
        ]
        texts.answers = told.answers
        return texts

    def told(self) -> ToldTexts:
        shards = list(map(len, self._shards))
        return ToldTexts(bytes(self._bits), b"".join(self._shards), shards, self.answers)

    @property
    def is_crowded(self) -> bool:
        """There are so many more answers than were expected that clean rows are looked at for nothing."""
        return self.answers * _BITS_AN_ANSWER > 4 * 8 * len(self._bits)

    def add(self, sketches: Sequence[int], keys: Iterable[bytes], place: Place, *, is_code: bool) -> None:
        """``keys`` are those of ``same_answer``; code compares by their strict half alone."""
        self.added_tails.add(sketches[0])
        for sketch in sketches:
            bit = sketch & self._bit_mask
            self._bits[bit >> 3] |= 1 << (bit & 7)
        self.answers += 1
        where = (place.packed | (_IS_CODE if is_code else 0)).to_bytes(8, "little")
        for key in keys:
            shard = self._shard_of(key)
            if _find(shard, key) < 0:
                shard += key + where

    def may_hold(self, sketch: int) -> bool:
        """False means that no rejected run gave this answer; True means that it must be looked up."""
        bit = sketch & self._bit_mask
        return bool(self._bits[bit >> 3] & 1 << (bit & 7))

    def find(self, keys: list[bytes], *, is_code: bool) -> Match | None:
        """A rejected run that gave this answer to one of these questions, a strict match first."""
        for key in keys:
            shard = self._shard_of(key)
            at = _find(shard, key)
            if at >= 0:
                return Match(Place.unpacked(_where(shard, at) & ~_IS_CODE), is_strict=True)
        for key in () if is_code else keys:
            shard = self._shard_of(key)
            at = _find(shard, key[:LOOSE_BYTES])
            while at >= 0:
                where = _where(shard, at)
                if not where & _IS_CODE:
                    return Match(Place.unpacked(where), is_strict=False)
                at = _find(shard, key[:LOOSE_BYTES], at + 1)
        return None

    @property
    def bytes_held(self) -> int:
        shards = sum(map(sys.getsizeof, self._shards)) + sys.getsizeof(self._shards)
        return shards + sys.getsizeof(self._bits)

    def _shard_of(self, key: bytes) -> bytearray:
        return self._shards[int.from_bytes(key[:4], "little") & self._shard_mask]


def _where(shard: bytearray, at: int) -> int:
    return int.from_bytes(shard[at + KEY_BYTES : at + _RECORD], "little")


def _find(shard: bytearray, key: bytes, start: int = 0) -> int:
    """Where a record begins with ``key``, -1 where none does."""
    at = shard.find(key, start)
    while at >= 0 and at % _RECORD:
        at = shard.find(key, at + 1)
    return at
