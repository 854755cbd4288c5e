"""Counts, shares, bars and sparklines."""

from __future__ import annotations

from collections.abc import Sequence

_SPARK = "▁▂▃▄▅▆▇█"


def count(value: int | None) -> str:
    """With thousands separators; ``-`` when not known, which is not zero."""
    return "-" if value is None else f"{value:,}"


def measured(value: float | None) -> str:
    """A metric: a count to its last row, a share to what one reads of it; ``-`` when there is none."""
    if value is None:
        return "-"
    whole = abs(value) < 2**53 and value == int(value)
    return f"{value:,.0f}" if whole else f"{value:,.4g}"


def share(part: int, whole: int) -> str:
    """A whole percentage. Something is never shown as 0 % or everything as 100 % by rounding."""
    if whole <= 0:
        return "-"
    percent = 100 * part / whole
    if 0 < percent < 1:
        return "<1%"
    if 99 < percent < 100:
        return "99%"
    return f"{percent:.0f}%"


def rate(rows_per_second: float | None) -> str:
    """``940/s``, ``12k/s``."""
    if rows_per_second is None:
        return ""
    return f"{rows_per_second / 1000:.0f}k/s" if rows_per_second >= 9_950 else f"{rows_per_second:,.0f}/s"


def bar_cells(part: float, whole: float, width: int) -> int:
    """Filled cells of a bar: at least one for anything above zero, all only when complete."""
    if whole <= 0 or part <= 0 or width <= 0:
        return 0
    if part >= whole:
        return width
    return max(1, min(width - 1, round(width * part / whole))) if width > 1 else 0


def sparkline(values: Sequence[float], width: int) -> str:
    """The last ``width`` values as heights from the lowest to the highest; flat is mid-height."""
    shown = list(values)[-width:] if width > 0 else []
    if not shown:
        return ""
    low, high = min(shown), max(shown)
    if high == low:
        return "▄" * len(shown)
    return "".join(_SPARK[round((value - low) / (high - low) * (len(_SPARK) - 1))] for value in shown)
