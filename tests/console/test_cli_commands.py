"""Values of the console's own options: a span of time is a whole number of a unit, and never none."""

from __future__ import annotations

import argparse

import pytest

from console.cli.commands import span


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30m", 1800), ("8h", 28_800), ("2d", 172_800), (" 1h ", 3600), ("1 h", 3600), ("90m", 5400)],
)
def test_a_span_is_a_number_of_minutes_hours_or_days(text: str, seconds: float) -> None:
    assert span(text) == seconds


@pytest.mark.parametrize("text", ["", "0m", "00h", "0d", "m", "30", "-1h", "1.5h", "1y", "h1", "1h1m"])
def test_what_is_no_span_is_refused_with_how_one_looks(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is no span of time like 30m, 8h or 2d"):
        span(text)
