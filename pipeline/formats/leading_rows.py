"""Which rows of a JSONL file stand first, so that a loader finds every shape in its first 10 MB.

``load_dataset("json", …)`` takes the types of a file from its first block: a call that comes later is a
column that it does not know. So a row that shows something new (a member, a type, another set of arguments)
goes first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

# Below the 10 MiB of the first block, whatever stands behind.
_MOST_BYTES = 8 << 20
# Two sets of arguments are enough for a loader to see that they differ.
_ENOUGH_SETS = 2

_Path = tuple[str, ...]


class LeadingRows:
    """Told of each row in order, says which of them lead. ``places`` are their numbers, from 0."""

    def __init__(self) -> None:
        self.places: set[int] = set()
        self._seen: set[tuple[_Path, object]] = set()
        self._sets: dict[_Path, set[frozenset[str]]] = {}
        self._bytes = 0

    def look(self, place: int, row: Any, size: int) -> None:
        new = [shape for shape in self._shapes(row, ()) if shape not in self._seen]
        if new and self._bytes + size <= _MOST_BYTES:
            self._seen.update(new)
            self.places.add(place)
            self._bytes += size

    def _shapes(self, value: Any, path: _Path) -> Iterator[tuple[_Path, object]]:
        if isinstance(value, dict):
            yield from self._set_of(frozenset(value), path)
            for name, member in value.items():
                yield from self._shapes(member, (*path, name))
        elif isinstance(value, list):
            yield path, "list"
            for member in value:
                yield from self._shapes(member, (*path, "[]"))
        elif value is not None:
            yield path, type(value).__name__

    def _set_of(self, names: frozenset[str], path: _Path) -> Iterator[tuple[_Path, object]]:
        sets = self._sets.setdefault(path, set())
        if names in sets or len(sets) < _ENOUGH_SETS:
            sets.add(names)
            yield path, names
