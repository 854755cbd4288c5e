"""Counts, shares and bars never round something to nothing or nearly all to all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.presentation.counts import bar_cells, count, plural, rate, share, sparkline


def test_not_known_is_not_zero() -> None:
    assert (count(None), count(0), count(12_703)) == ("-", "0", "12,703")


def test_one_is_singular() -> None:
    assert (plural(1, "row"), plural(2_764, "row")) == ("1 row", "2,764 rows")


@pytest.mark.parametrize(
    ("part", "whole", "words"),
    [(0, 10, "0%"), (1, 1000, "<1%"), (999, 1000, "99%"), (1000, 1000, "100%"), (1, 0, "-")],
)
def test_shares_tell_something_from_nothing(part: int, whole: int, words: str) -> None:
    assert share(part, whole) == words


@given(st.integers(0, 10**9), st.integers(1, 10**9), st.integers(2, 80))
def test_a_bar_is_empty_only_at_nothing_and_full_only_at_all(part: int, whole: int, width: int) -> None:
    cells = bar_cells(part, whole, width)
    assert (cells == 0) == (part == 0)
    assert (cells == width) == (part >= whole)


@given(st.lists(st.floats(-1e9, 1e9), max_size=40), st.integers(0, 20))
def test_a_sparkline_has_one_cell_a_value(values: list[float], width: int) -> None:
    assert len(sparkline(values, width)) == min(len(values), width)


def test_a_sparkline_spans_its_own_range() -> None:
    assert sparkline([1, 2, 3], 8) == "▁▅█"
    assert sparkline([5, 5], 8) == "▄▄"


def test_rates_are_short() -> None:
    assert (rate(None), rate(940.0), rate(12_400.0)) == ("", "940/s", "12k/s")
