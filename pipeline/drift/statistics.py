"""How surprising a change is, in standard deviations: counting noise told apart from change."""

from __future__ import annotations

from math import sqrt


def count_shift_z(current: float, baseline: float) -> float:
    """How surprising a change of a row count is.

    Both counts are rows, at least 0. About normal for Poisson counts; 0.0 means no change.
    Raises ValueError for a negative count. Source: Anscombe 1948, variance-stabilising root.
    """
    if current < 0 or baseline < 0:
        raise ValueError("a count cannot be negative")
    return sqrt(2.0) * abs(sqrt(current + 0.375) - sqrt(baseline + 0.375))


def rate_shift_z(current: float, current_rows: int, baseline: float, baseline_rows: int) -> float:
    """How surprising a change of a rate is: the two-proportion z with a pooled rate.

    Rates are 0 to 1, rows at least 1 (0.0 otherwise: nothing can be said). Infinite only in
    name: a pooled rate of exactly 0 or 1 means that both rates are equal, so z is 0.
    """
    if current_rows < 1 or baseline_rows < 1:
        return 0.0
    pooled = (current * current_rows + baseline * baseline_rows) / (current_rows + baseline_rows)
    variance = pooled * (1.0 - pooled) * (1.0 / current_rows + 1.0 / baseline_rows)
    return abs(current - baseline) / sqrt(variance) if variance > 0 else 0.0


def delta_ratio(current: float, baseline: float) -> float | None:
    """(current - baseline) / baseline; None for a baseline of zero, which has no percentage."""
    return (current - baseline) / baseline if baseline else None
