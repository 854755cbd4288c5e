"""z of counts and rates: known values, symmetry, and what nothing can be said of."""

from __future__ import annotations

from math import isclose, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.drift.statistics import count_shift_z, delta_ratio, rate_shift_z


def test_known_values() -> None:
    assert isclose(count_shift_z(8, 6), sqrt(2) * (sqrt(8.375) - sqrt(6.375)))
    assert round(count_shift_z(3675, 2555), 1) == 14.2
    assert round(rate_shift_z(0.24, 1000, 0.20, 1000), 2) == 2.16


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_count_shift_is_symmetric_and_zero_only_without_change(one: int, other: int) -> None:
    assert count_shift_z(one, other) == count_shift_z(other, one) >= 0
    assert (count_shift_z(one, other) == 0) == (one == other)


@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 10**6), st.integers(1, 10**6))
def test_a_rate_shift_is_finite(one: float, other: float, rows: int, other_rows: int) -> None:
    assert 0 <= rate_shift_z(one, rows, other, other_rows) < float("inf")


def test_a_negative_count_is_refused_and_a_zero_baseline_has_no_percentage() -> None:
    with pytest.raises(ValueError, match="negative"):
        count_shift_z(-1, 2)
    assert delta_ratio(5, 0) is None
    assert rate_shift_z(0.5, 0, 0.1, 10) == 0.0
