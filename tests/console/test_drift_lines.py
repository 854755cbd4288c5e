from __future__ import annotations

from typing import Any

import pytest

from console.state.drift_lines import cause_in_words


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (
            {"dimension": "reason", "name": "too_long", "baseline": 1000, "current": 1234.5, "share": -0.25},
            "reason too_long 1,000 → 1,234.5, -25% of the change",
        ),
        ({"dimension": "stream", "name": "mint"}, "stream mint"),
        ({"name": 7, "share": "much", "baseline": True, "current": 1}, ""),
    ],
)
def test_a_cause_is_one_line_whatever_is_missing(cause: dict[str, Any], words: str) -> None:
    assert cause_in_words(cause) == words
