"""How much an expression may make of a line.

A projection can repeat what it finds, and a line of a few kilobytes become gigabytes. Nobody could
use such a value; the line is skipped instead, and the expression is named.
"""

from __future__ import annotations

from typing import Any

from pipeline.contracts.skips import SkipReason
from pipeline.storage.source_lines import MAX_DEPTH, MAX_LINE_BYTES
from pipeline.streams.misfit import MisfitError

MAX_VALUES = 1_000_000
MAX_CHARACTERS = MAX_LINE_BYTES
"""As many as the longest line has bytes."""


def bounded(value: Any, path: str) -> Any:
    """``value``, which the expression ``path`` gave. Raises MisfitError where it is too large or too deep."""
    kind = type(value)
    if kind is not list and kind is not dict and kind is not str:
        return value
    values, characters = 0, 0
    # Each with its depth. A value that stands twice is counted twice: it would be written twice.
    open_values: list[tuple[Any, int]] = [(value, 0)]
    while open_values:
        inner, depth = open_values.pop()
        values += 1
        if type(inner) is str:
            characters += len(inner)
        elif type(inner) is dict:
            characters += sum(map(len, inner))
            values += len(inner)
            open_values += [(item, depth + 1) for item in inner.values()]
        elif type(inner) is list:
            open_values += [(item, depth + 1) for item in inner]
        if len(open_values) + values > MAX_VALUES:
            raise _too_much(path, f"{MAX_VALUES:,} values")
        if characters > MAX_CHARACTERS:
            raise _too_much(path, f"{MAX_CHARACTERS:,} characters")
        if depth > MAX_DEPTH:
            raise _too_much(path, f"{MAX_DEPTH} levels")
    return value


def _too_much(path: str, bound: str) -> MisfitError:
    return MisfitError(SkipReason.VALUE_OUT_OF_RANGE, f"{path} gives more than {bound}")
