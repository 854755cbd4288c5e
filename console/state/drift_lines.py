"""PURE: drift rows as they are shown: as a report or an event has them, their order, a cause as one line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipeline.contracts.status import DriftLine
from pipeline.platform.lenient_json import Json, objects_of, record_of

TREND_LIMIT = 40
_ORDER = {"warn": 0, "missing": 0, "noisy": 1, "new": 2}


def drift_line(row: Json) -> DriftLine:
    found = row.get("trend")
    heights = [each for each in map(_number, found if isinstance(found, list) else ()) if each is not None]
    causes = tuple(map(cause_in_words, objects_of(row, "causes")))
    return record_of(DriftLine, row, trend=tuple(heights[-TREND_LIMIT:]), causes=causes)


def flagged_first(lines: Iterable[DriftLine]) -> tuple[DriftLine, ...]:
    """Warned and missing rows, then noisy ones, then the rest; equal ones keep their order."""
    return tuple(sorted(lines, key=lambda line: _ORDER.get(line.status, 3)))


def cause_in_words(cause: Mapping[str, object]) -> str:
    """One part of what moved a metric, as a line: what it is, its two values, its share."""
    what = " ".join(text for key in ("dimension", "name") if isinstance(text := cause.get(key), str))
    baseline, current, share = (_number(cause.get(key)) for key in ("baseline", "current", "share"))
    if baseline is not None and current is not None:
        what += f" {baseline:,g} → {current:,g}"
    return f"{what}, {share:.0%} of the change" if share is not None else what


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
