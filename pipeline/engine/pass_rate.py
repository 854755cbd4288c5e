"""How many of a task's judged runs were accepted: what each row of SFT and preference says of its task.

A run in review was not judged. A task of one judged run is not kept here: its rate follows from the
verdict of that run, and most tasks of most logs are such ones.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from pipeline.engine.chunk_entries import CATEGORY_CODE, NOT_SCORED
from pipeline.engine.chunk_index import ChunkIndex, cut, numbers
from pipeline.engine.row_marks import Place, RowMarks
from pipeline.engine.spool import Spool

PassRates = RowMarks[int]
"""Of each row of a task of more than one judged run: attempts in the upper half, passed in the lower."""

_RECORD = struct.Struct("<16sIIB")
RECORD_BYTES = _RECORD.size
_ATTEMPT = 1 << 32
_PASSED = _ATTEMPT - 1
# What a run adds to its task, by the last member of its record.
_ADDED = (0, _ATTEMPT, _ATTEMPT + 1)
_REVIEWED, _JUDGED, _ACCEPTED = range(3)
_VERDICT = {CATEGORY_CODE["needs_human_review"]: _REVIEWED, CATEGORY_CODE["accepted"]: _ACCEPTED}


class PassRate(NamedTuple):
    attempts: int
    passed: int


class PassRateCounter:
    """Takes the rows of every chunk, then counts one partition of the tasks after the other."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    def add(self, number: int, index: ChunkIndex, rows: Sequence[int]) -> None:
        codes, tasks = numbers("b", index.categories), cut(index.task_keys)
        buffers, pack = self._spool.of_byte, _RECORD.pack
        for row in rows:
            code = codes[row]
            if code != NOT_SCORED:
                task = tasks[row]
                buffers[task[0]] += pack(task, number, row, _VERDICT.get(code, _JUDGED))
        self._spool.settle()

    def take(self, rates: PassRates) -> Iterator[set[bytes]]:
        """For each partition the tasks of which a run was accepted; ``rates`` then has those of its rows."""
        return (_counted(records, rates) for records in self._spool.take())


def _counted(records: bytes, rates: PassRates) -> set[bytes]:
    counts: dict[bytes, int] = {}
    for task, _, _, verdict in _RECORD.iter_unpack(records):
        counts[task] = counts.get(task, 0) + _ADDED[verdict]
    for task, chunk, row, _ in _RECORD.iter_unpack(records):
        count = counts[task]
        if count >= 2 * _ATTEMPT:
            rates[chunk, row] = count
    return {task for task, count in counts.items() if count & _PASSED}


def rate_of(rates: PassRates, place: Place, *, is_accepted: bool) -> PassRate:
    """The rate of a judged run's task; ``is_accepted`` is the verdict of that run."""
    count = rates.at(place)
    if count is None:
        return PassRate(1, int(is_accepted))
    return PassRate(count >> 32, count & _PASSED)


@lru_cache(maxsize=4096)
def members(rate: PassRate) -> bytes:
    """The rate as the members of a row that has others before and after them."""
    return b',"attempts":%d,"passed":%d' % rate
