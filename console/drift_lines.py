"""PURE: the order of drift rows, and a cause as one line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipeline.contracts.status import DriftLine

_ORDER = {"warn": 0, "missing": 0, "noisy": 1, "new": 2}


def flagged_first(lines: Iterable[DriftLine]) -> tuple[DriftLine, ...]:
    """Warned and missing rows, then noisy ones, then the rest; equal ones keep their order."""
    return tuple(sorted(lines, key=lambda line: _ORDER.get(line.status, 3)))


def cause_in_words(cause: Mapping[str, object]) -> str:
    """One contribution to a change: its members in their order."""
    return ", ".join(f"{key} {value}" for key, value in cause.items())
