"""How many of a task's judged runs were accepted: what each row of SFT and preference says of its task.

A run in review was not judged. A task of one judged run is not kept here: its rate follows from the
verdict of that run, and most tasks of most logs are such ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

# task key → attempts in the upper half, passed in the lower: one number, so that an entry is small.
PassRates = Mapping[bytes, int]

_ATTEMPT = 1 << 32
_PASSED = _ATTEMPT - 1


class PassRate(NamedTuple):
    attempts: int
    passed: int


class PassRateCounter:
    """Counts run by run. About 110 bytes a task."""

    def __init__(self) -> None:
        self._counts: dict[bytes, int] = {}

    def add(self, task_key: bytes, *, is_accepted: bool) -> None:
        self._counts[task_key] = self._counts.get(task_key, 0) + _ATTEMPT + is_accepted

    def some_passed(self, task_key: bytes) -> bool:
        return bool(self._counts.get(task_key, 0) & _PASSED)

    def finish(self) -> dict[bytes, int]:
        """The tasks of more than one judged run. The counter is empty then."""
        rates = {key: count for key, count in self._counts.items() if count >= 2 * _ATTEMPT}
        self._counts = {}
        return rates


def rate_of(rates: PassRates, task_key: bytes, *, is_accepted: bool) -> PassRate:
    """The rate of a judged run's task; ``is_accepted`` is the verdict of that run."""
    count = rates.get(task_key)
    if count is None:
        return PassRate(1, int(is_accepted))
    return PassRate(count >> 32, count & _PASSED)


@lru_cache(maxsize=4096)
def members(rate: PassRate) -> bytes:
    """The rate as the members of a row that has others before and after them."""
    return b',"attempts":%d,"passed":%d' % rate
