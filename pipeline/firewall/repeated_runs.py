"""Is the run of a row that of an earlier one? A run makes one row of an export, and stands in one pair.

A row that is there twice is learnt twice. Runs are told by the place of their evidence; exporters write
them in the order of those places, so that nearly all cost 8 bytes in a list that is in order as it grows.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left

from pipeline.firewall.run_table import STATE_WIDTH, has_evidence


class RepeatedRuns:
    """``packed`` is what ``RunTable`` knows of a run; of one without evidence nothing is said."""

    def __init__(self) -> None:
        self._in_order = array("Q")
        self._last = -1
        self._others: set[int] = set()

    def has_seen(self, packed: int) -> bool:
        """Whether this run was asked for before. From now on it was."""
        if not has_evidence(packed):
            return False
        place = packed >> STATE_WIDTH
        if place > self._last:
            self._last = place
            self._in_order.append(place)
            return False
        at = bisect_left(self._in_order, place)
        if self._in_order[at] == place or place in self._others:
            return True
        self._others.add(place)
        return False
