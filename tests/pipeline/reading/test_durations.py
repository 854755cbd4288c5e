"""Ages advance in steps, have two units at most, and are never negative."""

from __future__ import annotations

import pytest

from pipeline.reading.durations import (
    age_in_words,
    clock_minute,
    clock_time,
    day_or_time,
    read_ago,
    took_in_words,
)

MORNING = 1_777_279_267.0  # Mon 2026-04-27 08:41:07Z


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "-"),
        (0.4, "0s"),
        (9.9, "9s"),
        (44, "40s"),
        (263, "4m"),
        (7920, "2h 12m"),
        (7200, "2h"),
        (183_600, "2d 3h"),
        (-1.5, "0s"),
        (-60, "clock?"),
    ],
)
def test_ages_are_told_in_steps(seconds: float | None, words: str) -> None:
    assert age_in_words(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "-"), (0.04, "0.0s"), (1.62, "1.6s"), (9.96, "10s"), (245, "4m 05s"), (7630, "2h 07m")],
)
def test_durations_are_told_to_what_matters(seconds: float | None, words: str) -> None:
    assert took_in_words(seconds) == words


def test_a_live_reading_does_not_flicker() -> None:
    assert {read_ago(age) for age in (0.0, 0.7, 2.0)} == {"live"}
    assert read_ago(4.2) == "read 4s ago"
    assert read_ago(None) == "not read"


def test_clocks_are_utc_and_the_one_on_screen_has_no_seconds() -> None:
    assert clock_time(MORNING) == "08:41:07Z"
    assert clock_minute(MORNING) == "Mon 2026-04-27 08:41Z"


def test_past_days_are_named() -> None:
    day = 86_400
    words = [day_or_time(MORNING - days * day, MORNING) for days in (0, 1, 6, 7)]
    assert words == ["08:41", "Sun", "Tue", "20 Apr"]
