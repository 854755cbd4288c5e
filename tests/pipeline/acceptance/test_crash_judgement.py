"""A20 counts each fault of a killed run, and nothing of a sound one."""

from __future__ import annotations

from typing import Any, cast

import pytest

from pipeline.acceptance.crash import INVARIANTS, POINTS
from pipeline.acceptance.scene import Scene
from pipeline.checks.runner import Outcome

STRAIGHT = {"run_hash": "a", "outputs": {"exports/sft": "1"}}


def case(point: str) -> dict[str, Any]:
    return {
        "point": point,
        "was_killed": True,
        "said": "",
        "after_kill": "old",
        "is_open": False,
        "after_settling": "old",
        "stays_open": False,
        "resumed": {"exit_code": 0, "said": "", **STRAIGHT},
        "left_staged": [],
    }


def judged(**spoilt: Any) -> Outcome:
    cases = [case(point) for point in POINTS]
    cases[0] |= spoilt
    results = {"straight": STRAIGHT, **{f"crash_{number}": cases[number::4] for number in range(4)}}
    return INVARIANTS["A20"].judge(cast("Scene", None), results.__getitem__)


def test_sound_runs_fail_nothing() -> None:
    assert (judged().failed, judged().examined) == (0, 8 * len(POINTS))
    assert judged(is_open=True, after_kill="mixed").failed == 0, "watchers hold their verdict"


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        ({"was_killed": False}, "did not die there"),
        ({"after_kill": "mixed"}, "after the kill the outputs are mixed"),
        ({"after_kill": "damaged", "is_open": True}, "after the kill the outputs are damaged"),
        ({"after_settling": "mixed"}, "left the outputs mixed"),
        ({"stays_open": True}, "left the commit open"),
        ({"resumed": {**STRAIGHT, "exit_code": 3, "said": "full"}}, "ended with 3: full"),
        ({"resumed": {**case("")["resumed"], "run_hash": "b"}}, "another run_hash"),
        ({"resumed": {**case("")["resumed"], "outputs": {"exports/sft": "2"}}}, "other bytes"),
        ({"left_staged": ["rows"]}, "left staged: rows"),
    ],
)
def test_each_fault_is_counted_and_named(spoilt: dict[str, Any], said: str) -> None:
    outcome = judged(**spoilt)
    assert outcome.failed == 1
    assert said in str(outcome.examples)
