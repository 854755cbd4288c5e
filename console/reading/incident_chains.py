"""Which incidents' records do not hold, looked at again only where a journal has changed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pipeline.contracts import paths
from pipeline.platform.lenient_json import stamp_of
from pipeline.reading.incidents import HEAD, JOURNAL, Head, remembered_heads

# A longer journal is verified when it is opened, not for a list.
MOST_BYTES = 4 * 2**20


class ChainChecks:
    """Kept by whoever asks again and again. Blocking."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[str, tuple[tuple[int, ...], bool]] = {}
        self._audit: tuple[int, ...] | None = None
        self._heads: dict[str, Head] = {}

    def broken(self, incident_ids: Iterable[str]) -> frozenset[str]:
        """Those in whose chain there is a problem, a lost tail included."""
        audit = stamp_of(self._root / paths.AUDIT_DATA)
        if audit != self._audit:
            self._audit, self._heads, self._known = audit, remembered_heads(self._root), {}
        return frozenset(each for each in incident_ids if self._is_broken(each))

    def _is_broken(self, incident_id: str) -> bool:
        from pipeline.reading.incident_journal import record_problems  # late: it needs pydantic

        folder = self._root / paths.INCIDENTS / incident_id
        seen = stamp_of(folder / JOURNAL) + stamp_of(folder / HEAD)
        known = self._known.get(incident_id)
        if known is not None and known[0] == seen:
            return known[1]
        if not seen or seen[1] > MOST_BYTES:
            return False
        try:
            is_broken = bool(record_problems(self._root, incident_id, self._heads))
        except OSError:
            is_broken = True
        self._known[incident_id] = seen, is_broken
        return is_broken
