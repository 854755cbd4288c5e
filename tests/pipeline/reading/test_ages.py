"""Ages: how old may be believed, in steps, two units at most, never negative."""

from __future__ import annotations

import pytest

from pipeline.contracts.status import Freshness
from pipeline.reading import staleness
from pipeline.reading.durations import (
    age_in_words,
    clock_minute,
    clock_time,
    day_or_time,
    lasting_in_words,
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


def test_what_somebody_waits_for_is_told_by_the_second() -> None:
    told = [lasting_in_words(float(second)) for second in range(3600)]
    assert len(set(told)) == len(told), "a line that stands still looks as if it hung"
    assert (lasting_in_words(None), told[9], told[17], told[245]) == ("-", "9s", "17s", "4m 05s")


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


# What an age means

NOW = 1_000_000.0


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (0, Freshness.FRESH),
        (2, Freshness.FRESH),
        (2.1, Freshness.AGEING),
        (10, Freshness.AGEING),
        (10.1, Freshness.STALE),
        (60, Freshness.STALE),
        (60.1, Freshness.UNKNOWN),
        (-2, Freshness.FRESH),
        (-2.1, Freshness.CLOCK),
    ],
)
def test_a_live_fact_ages_by_its_limits(age: float, expected: Freshness) -> None:
    assert staleness.of_live(NOW - age, NOW) is expected


@pytest.mark.parametrize(
    ("age", "changed", "expected"),
    [
        (26 * 3600, False, Freshness.FRESH),
        (26 * 3600 + 1, False, Freshness.STALE),
        (1, True, Freshness.STALE),
        (-3600, False, Freshness.CLOCK),
        (-3600, True, Freshness.CLOCK),
    ],
)
def test_a_verdict_is_stale_by_change_before_it_is_stale_by_age(
    age: float, changed: bool, expected: Freshness
) -> None:
    assert staleness.of_verdict(NOW - age, NOW, inputs_changed=changed) is expected


def test_what_never_happened_is_unknown() -> None:
    assert staleness.of_live(None, NOW) is Freshness.UNKNOWN
    assert staleness.of_verdict(None, NOW, inputs_changed=True) is Freshness.UNKNOWN


def test_an_age_is_never_negative() -> None:
    assert staleness.age_seconds(NOW + 1, NOW) == 0.0
    assert staleness.age_seconds(NOW + 100, NOW) is None
