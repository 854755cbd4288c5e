from __future__ import annotations

import pytest

from pipeline.contracts.status import Freshness
from pipeline.reading import staleness

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
