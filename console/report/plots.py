"""PURE: values as shapes of an SVG. Units are those of the drawing's own view box."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 240.0, 56.0
_MARGIN = 5.0


@dataclass(frozen=True, slots=True)
class Plot:
    """``path`` is the line, empty for fewer than two points; ``dots`` are (x, y) of every point.

    ``baseline`` is the height of the value that was accepted, None without one.
    """

    path: str
    dots: tuple[tuple[float, float], ...]
    baseline: float | None
    low: float
    high: float


def plot(values: Sequence[float], baseline: float | None = None) -> Plot:
    """One value after the other, evenly spaced: each is one audit. What is not finite is left out."""
    finite = [value for value in values if math.isfinite(value)]
    shown = [*finite, *([baseline] if baseline is not None and math.isfinite(baseline) else [])]
    low, high = (min(shown), max(shown)) if shown else (0.0, 0.0)

    def height(value: float) -> float:
        # Halves before they are subtracted: the distance of two floats may be no float.
        span = high / 2 - low / 2
        share = 0.5 if span == 0 else (value / 2 - low / 2) / span
        return round(HEIGHT - _MARGIN - share * (HEIGHT - 2 * _MARGIN), 1)

    step = (WIDTH - 2 * _MARGIN) / max(1, len(finite) - 1)
    start = WIDTH - _MARGIN if len(finite) == 1 else _MARGIN
    dots = tuple((round(start + number * step, 1), height(value)) for number, value in enumerate(finite))
    path = "M" + " L".join(f"{x:g} {y:g}" for x, y in dots) if len(dots) > 1 else ""
    known = baseline if baseline is not None and math.isfinite(baseline) else None
    return Plot(path, dots, None if known is None else height(known), low, high)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a bar: where it begins and how wide it is, of 100."""

    name: str
    count: int
    start: float
    width: float


def bar(parts: Sequence[tuple[str, int | None]]) -> tuple[Piece, ...]:
    """Parts of a whole, in their order; those without a row are left out."""
    total = sum(count or 0 for _, count in parts)
    pieces, start = [], 0.0
    for name, count in parts:
        if count:
            width = 100.0 * count / total
            pieces.append(Piece(name, count, round(start, 2), round(width, 2)))
            start += width
    return tuple(pieces)
