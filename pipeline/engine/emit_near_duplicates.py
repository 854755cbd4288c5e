"""Near-duplicates of one export: found when all its rows are known, and told in a report of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import orjson

from pipeline.engine.chunk_entries import EVIDENCE, pack_refusal
from pipeline.engine.chunk_index import numbers
from pipeline.engine.emit import EmitTask, indexes
from pipeline.engine.likeness import said_in
from pipeline.engine.row_parts import RowParts
from pipeline.stages.near_duplicates import (
    Alike,
    NearDuplicates,
    Said,
    Windows,
    WindowsOf,
    find_near_duplicates,
)
from pipeline.stages.refusals import QuarantineReason
from pipeline.stages.row_limits import LimitedRow, Place
from pipeline.stages.sample import Sample, read_sample

REPORT_VERSION = 1
ReadEvidence = Callable[[Place], dict[str, Any]]


class NearDuplicateSearch:
    """Looks once; ``mode`` is that of the settings. Afterwards ``report_line`` tells what was found."""

    def __init__(self, export: str, mode: str, windows: WindowsOf) -> None:
        self._export = export
        self._mode = mode
        self._windows = windows
        self._found: NearDuplicates | None = None

    def drops(self, rows: Iterable[LimitedRow]) -> Mapping[Place, str]:
        """The rows that stay out, with their refusals; none where they are only reported."""
        self._found = find_near_duplicates(rows, self._windows)
        if self._mode != "drop":
            return {}
        return {alike.place: refusal_of(alike) for alike in self._found.alike}

    def report_line(self) -> bytes:
        """The file of ``paths.NEAR_DUPLICATE_REPORTS``. Rows that nobody looked through are *not checked*."""
        told = near_duplicates_report(self._export, self._mode, self._found)
        return orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE)


def refusal_of(alike: Alike) -> str:
    """The run that stays and how much is shared: no text of a run."""
    return pack_refusal(QuarantineReason.NEAR_DUPLICATE, f"{alike.similarity:.2f} of {alike.kept_run_id}")


def windows_by(evidence_of: Callable[[frozenset[Place]], ReadEvidence]) -> WindowsOf:
    def windows_at(places: frozenset[Place]) -> Windows:
        read = evidence_of(places)

        def windows(place: Place) -> Said:
            sample = read_sample(read(place))
            return said_in(sample) if isinstance(sample, Sample) else (frozenset(),)

        return windows

    return windows_at


def near_duplicates_report(export: str, mode: str, found: NearDuplicates | None) -> dict[str, Any]:
    clusters: dict[str, list[dict[str, Any]]] = {}
    for alike in found.alike if found is not None else ():
        member = {"run_id": alike.run_id, "similarity": round(alike.similarity, 4)}
        clusters.setdefault(alike.kept_run_id, []).append(member)
    report: dict[str, Any] = {"schema_version": REPORT_VERSION, "checked": found is not None}
    if found is None:
        return report
    return report | {
        "export": export,
        "mode": mode,
        "rows_compared": found.compared,
        "rows_too_short": found.too_short,
        "rows_alike": len(found.alike),
        "clusters": [
            {"kept_run_id": kept, "alike": members}
            for kept, members in sorted(clusters.items(), key=lambda item: (-len(item[1]), item[0]))
        ],
    }


def evidence_reader(task: EmitTask, parts: RowParts) -> Callable[[frozenset[Place]], ReadEvidence]:
    """Reads evidence rows of the task's chunks again, out of the cache."""

    def evidence_of(places: frozenset[Place]) -> ReadEvidence:
        at = {place: span for place, span in _evidence_spans(task) if place in places}
        return lambda place: parts.row(place[0], *at[place])

    return evidence_of


def _evidence_spans(task: EmitTask) -> Iterator[tuple[Place, tuple[int, int]]]:
    for chunk, index, _ in indexes(task):
        offset = index.section_start(EVIDENCE)
        for ordinal, length in enumerate(numbers("I", index.lengths[EVIDENCE])):
            yield (chunk.number, ordinal), (offset, length)
            offset += length
