"""A run that was cut off, or that its harness failed, is no example: not to learn, and not to lose."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.stages.export_preference import preference_row, side_refusal
from pipeline.stages.export_rag import rag_row
from pipeline.stages.export_sft import sft_row
from pipeline.stages.refusals import Refusal
from pipeline.stages.sample import read_sample
from pipeline.stages.score import score
from tests.pipeline.stages.builders import OPTIONS, THRESHOLDS, conversation, evidence, turn

UNFIT = pytest.mark.parametrize("flag", ["truncated", "environment_error"])
HARMLESS = ["reasoning_missing", "system_not_recorded", "tools_not_recorded"]
OVERRIDE = {"decision": "accepted", "by": None, "reason": None, "at": None}


def reason(outcome: Any) -> str:
    return outcome.reason.value if isinstance(outcome, Refusal) else ""


@UNFIT
@pytest.mark.parametrize("made", [evidence, conversation])
def test_it_is_no_row_of_sft_even_where_a_person_accepted_it(flag: str, made: Any) -> None:
    row = made(flags=[*HARMLESS, flag], verdict="pass", human_override=OVERRIDE)
    scored = score(row, THRESHOLDS)
    assert scored["category"] == "accepted"
    assert reason(sft_row(row, scored, OPTIONS)) == flag
    assert reason(rag_row(row, scored, OPTIONS)) == ""
    fit = row | {"flags": HARMLESS}
    assert reason(sft_row(fit, score(fit, THRESHOLDS), OPTIONS)) == ""


@UNFIT
@pytest.mark.parametrize("unfit_side", [0, 1])
def test_it_stands_on_no_side_of_a_pair(flag: str, unfit_side: int) -> None:
    runs = [evidence(1, verdict="pass"), evidence(2, verdict="fail", response="rm FILE")]
    runs[unfit_side]["human_override"] = OVERRIDE | {"decision": ["accepted", "rejected"][unfit_side]}
    good, bad = runs
    verdicts = [score(run, THRESHOLDS) for run in runs]
    assert reason(preference_row(good, verdicts[0], bad, verdicts[1], OPTIONS)) == ""
    runs[unfit_side]["flags"] = [flag]
    assert reason(preference_row(good, verdicts[0], bad, verdicts[1], OPTIONS)) == flag
    assert reason(side_refusal(read_sample(runs[unfit_side]), OPTIONS)) == flag


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ((0.0, 0.0), "nothing_to_learn"),
        ((0.0, 1.0), ""),
        ((0.0, None), ""),
        ((1.0, 0.0), ""),
        ((None, None), ""),
    ],
)
def test_answers_that_are_all_without_weight_teach_nothing(
    weights: tuple[float | None, float | None], expected: str
) -> None:
    turns = [turn("user", "Hi"), turn("assistant", "Yes?", weight=weights[0]), turn("user", "Bye")]
    row = conversation(1, *turns, turn("assistant", "Bye.", weight=weights[1]), verdict="pass")
    assert reason(sft_row(row, score(row, THRESHOLDS), OPTIONS)) == expected
