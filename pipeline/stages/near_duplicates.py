"""Which rows, or pairs, say nearly what a better one says. Texts are read of those that are compared.

Rows are taken the best first (``row_limits.best_first``). One that is alike a row that stays is a
near-duplicate of it; one that is alike none stays. So each near-duplicate is alike the row that it
names, and the order in which rows come decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from pipeline.stages.row_limits import BAND_BYTES, LimitedRow, Place, Standing, best_first

# Jaccard 0.8, in whole numbers: of five windows that either has, both have four.
_SHARED, _OF = 4, 5
_WINDOWS_IN_MEMORY = 256

Said = tuple[frozenset[str], ...]
"""The windows of each part of a row: of its answers; of a pair, those of either side."""
Windows = Callable[[Place], Said]
"""What the row at a place says."""
WindowsOf = Callable[[frozenset[Place]], Windows]
"""Makes ready to read the rows at some places."""


class Alike(NamedTuple):
    """One near-duplicate. ``similarity`` is the share of windows that both have, of those that either has;
    of a pair, that of the side that has less in common."""

    place: Place
    run_id: str
    kept_run_id: str
    similarity: float


@dataclass
class NearDuplicates:
    """``compared`` rows had windows, ``too_short`` ones had none; ``alike`` stand the best first."""

    compared: int = 0
    too_short: int = 0
    alike: list[Alike] = field(default_factory=list)


class _Entry(NamedTuple):
    key: Standing
    place: Place
    bands: bytes


def find_near_duplicates(rows: Iterable[LimitedRow], windows_of: WindowsOf) -> NearDuplicates:
    """Look through ``rows``, each of which has its bands. Memory: 650 bytes a row."""
    found = NearDuplicates()
    entries: list[_Entry] = []
    for row in rows:
        if row.bands:
            entries.append(_Entry(best_first(row), row.place, row.bands))
        else:
            found.too_short += 1
    found.compared = len(entries)
    shared = _shared_bands(entries)
    candidates = sorted(entry for entry in entries if any(band in shared for band in _bands(entry)))
    if not candidates:
        return found
    read = lru_cache(_WINDOWS_IN_MEMORY)(windows_of(frozenset(entry.place for entry in candidates)))
    stay: list[_Entry] = []
    in_band: dict[tuple[int, bytes], list[int]] = {}
    for entry in candidates:
        near = sorted({number for band in _bands(entry) for number in in_band.get(band, ())})
        likest = _first_alike(entry, [stay[number] for number in near], read)
        if likest is not None:
            kept, similarity = likest
            found.alike.append(Alike(entry.place, entry.key[-1], kept.key[-1], similarity))
            continue
        for band in _bands(entry):
            if band in shared:
                in_band.setdefault(band, []).append(len(stay))
        stay.append(entry)
    return found


def _bands(entry: _Entry) -> list[tuple[int, bytes]]:
    starts = range(0, len(entry.bands), BAND_BYTES)
    return [(start, entry.bands[start : start + BAND_BYTES]) for start in starts]


def _shared_bands(entries: Sequence[_Entry]) -> set[tuple[int, bytes]]:
    """The bands of more than one row; one band after the other, as most stand alone."""
    shared: set[tuple[int, bytes]] = set()
    width = max((len(entry.bands) for entry in entries), default=0)
    for start in range(0, width, BAND_BYTES):
        seen: set[bytes] = set()
        for entry in entries:
            band = entry.bands[start : start + BAND_BYTES]
            if band in seen:
                shared.add((start, band))
            seen.add(band)
    return shared


def _first_alike(entry: _Entry, near: Sequence[_Entry], read: Windows) -> tuple[_Entry, float] | None:
    """The best of the rows that ``entry`` is alike."""
    for kept in near:
        counted = [_counted(*parts) for parts in zip(read(entry.place), read(kept.place), strict=True)]
        if all(both * _OF >= either * _SHARED for both, either in counted):
            return kept, min(both / either for both, either in counted)
    return None


def _counted(ours: frozenset[str], theirs: frozenset[str]) -> tuple[int, int]:
    """How many windows both have, and how many either has."""
    both = len(ours & theirs)
    return both, len(ours) + len(theirs) - both
