"""Run id to verdict by name, for a look that is kept: the keys of ``RunTable`` hold in one process only."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Hashable, Iterable

from pipeline.firewall.places import Place
from pipeline.firewall.run_table import HAS_EVIDENCE, STATE_WIDTH, VERDICT_BITS, Verdict


class RunDict:
    """What ``RunTable`` is, in about ten times the memory. ``touched`` are the runs that were told of since
    it was restored."""

    def __init__(self, run_ids: Iterable[str] = (), packed: bytes = b"") -> None:
        self._packed: dict[Hashable, int] = dict(zip(run_ids, array("Q", packed), strict=True))
        self.touched: set[str] = set()

    @property
    def runs(self) -> int:
        return len(self._packed)

    @property
    def bytes_held(self) -> int:
        ids = sum(map(sys.getsizeof, self._packed))
        return sys.getsizeof(self._packed) + ids + sum(map(sys.getsizeof, self._packed.values()))

    def get(self, run_id: Hashable) -> int:
        return self._packed.get(run_id, 0)

    def add_verdict(self, run_id: str, verdict: Verdict) -> int:
        before = self._packed.get(run_id, 0)
        if verdict > before & VERDICT_BITS:
            self._packed[run_id] = before & ~VERDICT_BITS | verdict
        self.touched.add(run_id)
        return before

    def add_evidence(self, run_id: str, place: Place) -> int:
        before = self._packed.get(run_id, 0)
        self._packed[run_id] = place.packed << STATE_WIDTH | before & VERDICT_BITS | HAS_EVIDENCE
        self.touched.add(run_id)
        return before

    def told(self) -> tuple[list[str], bytes]:
        """Run ids and packed states, as they are given to restore it."""
        return [str(run_id) for run_id in self._packed], array("Q", self._packed.values()).tobytes()
