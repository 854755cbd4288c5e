"""Run id to verdict, packed: 16 bytes a run, plus what the allocator keeps for growth.

A Python dict of the same numbers takes more than 100 bytes a run, and an index of ten million
runs has to fit beside an engine.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Hashable
from enum import IntEnum

from pipeline.firewall.places import Place

_RECORD = 16
_pack_key = struct.Struct("<q").pack
_unpack = struct.Struct("<Q").unpack_from
_pack_into = struct.Struct("<Q").pack_into
_NOTHING_KNOWN = bytes(8)
_RUNS_A_SHARD = 32


class Verdict(IntEnum):
    """What scored runs say, mildest first. Of several rows for one run the worst one counts."""

    NONE = 0
    ACCEPTED = 1
    PARTIALLY_ACCEPTED = 2
    UNKNOWN_CATEGORY = 3
    NEEDS_HUMAN_REVIEW = 4
    REJECTED = 5


VERDICTS = {
    "accepted": Verdict.ACCEPTED,
    "partially_accepted": Verdict.PARTIALLY_ACCEPTED,
    "needs_human_review": Verdict.NEEDS_HUMAN_REVIEW,
    "rejected": Verdict.REJECTED,
}
VERDICT_BITS = 0x7
HAS_EVIDENCE = 0x8
STATE_BITS = VERDICT_BITS | HAS_EVIDENCE
STATE_WIDTH = 4
# The states in which a run may be trained on: there is evidence, and the scorer allowed it.
MAY_BE_EXPORTED = frozenset((Verdict.ACCEPTED | HAS_EVIDENCE, Verdict.PARTIALLY_ACCEPTED | HAS_EVIDENCE))


class RunTable:
    """A hash table of shards. A record is 8 bytes of run key, then place and verdict in 8.

    The run key is the interpreter's own 64-bit string hash, keyed at random at start: two of
    ten million runs share one with a probability of about 3 in a million.
    """

    def __init__(self, expected_runs: int = 0) -> None:
        shards = 1
        while shards * _RUNS_A_SHARD < expected_runs:
            shards *= 2
        self._mask = shards - 1
        self._shards = [bytearray() for _ in range(shards)]
        self.runs = 0

    def get(self, run_id: Hashable) -> int:
        """Place and verdict packed in one number, 0 for an unknown run; see the readers below."""
        number = hash(run_id)
        shard = self._shards[number & self._mask]
        at = shard.find(_pack_key(number))
        if at % _RECORD:  # not found, or found astride two records
            at = _aligned(shard, _pack_key(number), at)
            if at < 0:
                return 0
        packed: int = _unpack(shard, at + 8)[0]
        return packed

    @property
    def bytes_held(self) -> int:
        return sum(map(sys.getsizeof, self._shards)) + sys.getsizeof(self._shards)

    def add_verdict(self, run_id: str, verdict: Verdict) -> int:
        """Note a scored row. Returns the run's packed state as it was before."""
        shard, at = self._place_of(run_id)
        before: int = _unpack(shard, at + 8)[0]
        if verdict > before & VERDICT_BITS:
            _pack_into(shard, at + 8, before & ~VERDICT_BITS | verdict)
        return before

    def add_evidence(self, run_id: str, place: Place) -> int:
        """Note where an evidence row lies; the last one counts. Returns the packed state before."""
        shard, at = self._place_of(run_id)
        before: int = _unpack(shard, at + 8)[0]
        where = place.packed << STATE_WIDTH
        _pack_into(shard, at + 8, where | before & VERDICT_BITS | HAS_EVIDENCE)
        return before

    def _place_of(self, run_id: str) -> tuple[bytearray, int]:
        """The shard and offset of a run's record, which is made if there is none."""
        number = hash(run_id)
        shard = self._shards[number & self._mask]
        key = _pack_key(number)
        at = _aligned(shard, key, shard.find(key))
        if at < 0:
            at = len(shard)
            shard += key + _NOTHING_KNOWN
            self.runs += 1
        return shard, at


def _aligned(shard: bytearray, key: bytes, at: int) -> int:
    """The first place from ``at`` on where ``key`` begins a record, -1 when there is none."""
    while at >= 0 and at % _RECORD:
        at = shard.find(key, at + 1)
    return at


def verdict_of(packed: int) -> Verdict:
    return Verdict(packed & VERDICT_BITS)


def is_rejected(packed: int) -> bool:
    return packed & VERDICT_BITS == Verdict.REJECTED


def has_evidence(packed: int) -> bool:
    return bool(packed & HAS_EVIDENCE)


def place_of(packed: int) -> Place | None:
    """Where the run's evidence lies, None when it has none."""
    return Place.unpacked(packed >> STATE_WIDTH) if has_evidence(packed) else None
