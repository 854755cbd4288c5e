"""Each rule by an example, their order, the thresholds' edges, and what a scored row holds."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.categories import CATEGORIES
from pipeline.schemas import scored_run
from pipeline.settings.model import ScoringSettings
from pipeline.stages.score import (
    SCHEMA_VERSION,
    SCORER_VERSION,
    ScoringSkipReason,
    UnscorableError,
    explain,
    score,
)
from pipeline.stages.scoring_rules import RULES, ReasonCode
from tests.pipeline.stages.builders import THRESHOLDS, conversation, evidence, turn

OVERRIDE = {"decision": "rejected", "by": "lee", "reason": "wrong file", "at": None}

# One example a rule: the signals, the rule that decides, the category.
EXAMPLES: list[tuple[dict[str, Any], ReasonCode, str]] = [
    ({"human_override": OVERRIDE, "verdict": "pass"}, ReasonCode.HUMAN_OVERRIDE, "rejected"),
    ({"flags": ["environment_error"], "verdict": "fail"}, ReasonCode.ENVIRONMENT_ERROR, "needs_human_review"),
    ({"flags": ["environment_error"], "response": ""}, ReasonCode.ENVIRONMENT_ERROR, "needs_human_review"),
    ({"flags": ["truncated"], "verdict": "fail"}, ReasonCode.VERDICT_FAIL, "rejected"),
    ({"response": " \n\t\u3000", "verdict": "pass"}, ReasonCode.RESPONSE_EMPTY, "rejected"),
    (
        {"success_markers": ["ok"], "failure_markers": ["error"], "verdict": "pass"},
        ReasonCode.CONTRADICTING_MARKERS,
        "needs_human_review",
    ),
    ({"verdict": "pass", "reward": 0.2}, ReasonCode.VERDICT_AGAINST_REWARD, "needs_human_review"),
    ({"verdict": "fail", "reward": 1.0}, ReasonCode.VERDICT_AGAINST_REWARD, "needs_human_review"),
    ({"verdict": "error", "reward": 1.0}, ReasonCode.VERDICT_ERROR, "needs_human_review"),
    ({"verdict": "pass"}, ReasonCode.VERDICT_PASS, "accepted"),
    ({"verdict": "pass", "reward": 0.6}, ReasonCode.VERDICT_PASS, "accepted"),
    ({"reward": 1.0}, ReasonCode.REWARD_ACCEPTED, "accepted"),
    ({"reward": 0.5}, ReasonCode.REWARD_PARTIAL, "partially_accepted"),
    ({"verdict": "fail", "reward": 0.7}, ReasonCode.REWARD_PARTIAL, "partially_accepted"),
    ({"verdict": "fail"}, ReasonCode.VERDICT_FAIL, "rejected"),
    ({"reward": 0.0}, ReasonCode.REWARD_LOW, "rejected"),
    ({"success_markers": ["ok"]}, ReasonCode.SOFT_SUCCESS, "partially_accepted"),
    ({"failure_markers": ["error"]}, ReasonCode.ONLY_FAILURE_MARKERS, "rejected"),
    ({}, ReasonCode.NO_SIGNAL, "needs_human_review"),
]


@pytest.mark.parametrize(("signals", "code", "category"), EXAMPLES)
def test_each_rule_decides_its_example(signals: dict[str, Any], code: ReasonCode, category: str) -> None:
    row = score(evidence(**signals), THRESHOLDS)
    assert (row["reasons"], row["category"]) == ([code.value], category)


def test_every_rule_has_an_example_and_codes_are_unique() -> None:
    examples = {code for _, code, _ in EXAMPLES}
    assert examples == set(ReasonCode), "a rule has an example in EXAMPLES: see CONTRIBUTING.md"
    assert {rule.code for rule in RULES} == set(ReasonCode)
    assert len(RULES) == len(ReasonCode)


@pytest.mark.parametrize("decision", CATEGORIES)
def test_a_human_decision_beats_every_other_signal(decision: str) -> None:
    row = evidence(
        human_override=OVERRIDE | {"decision": decision},
        response="",
        verdict="error",
        reward=0.9,
        success_markers=["ok"],
        failure_markers=["error"],
    )
    assert score(row, THRESHOLDS)["category"] == decision


def test_a_response_that_was_not_recorded_decides_nothing() -> None:
    assert score(evidence(response=None, verdict="pass"), THRESHOLDS)["category"] == "accepted"


def test_a_conversation_is_empty_when_no_assistant_turn_has_text_or_a_call() -> None:
    silent = conversation(
        1, turn("user", "Hello?"), turn("assistant", "  "), turn("user", "?"), verdict="pass"
    )
    assert score(silent, THRESHOLDS)["reasons"] == ["response_empty"]
    calls = conversation(1, turn("user", "Hello?"), turn("assistant", None, ("look", "{}")), verdict="pass")
    assert score(calls, THRESHOLDS)["reasons"] == ["verdict_pass"]


def test_the_response_of_a_conversation_is_only_a_view() -> None:
    row = conversation(1, turn("user", "Hello?"), verdict="pass") | {"response": "not in the turns"}
    assert score(row, THRESHOLDS)["reasons"] == ["response_empty"]


def test_a_recorded_conversation_without_turns_is_empty_unless_there_is_a_response() -> None:
    assert score(evidence(messages=[], response=None), THRESHOLDS)["reasons"] == ["response_empty"]
    assert score(evidence(messages=[], verdict="pass"), THRESHOLDS)["reasons"] == ["verdict_pass"]


@pytest.mark.parametrize(("accept_at", "partial_at"), [(1.0, 0.5), (0.8, 0.3), (0.5, 0.5)])
def test_a_reward_just_below_a_threshold_falls_on_the_other_side(accept_at: float, partial_at: float) -> None:
    thresholds = ScoringSettings(accept_at=accept_at, partial_at=partial_at)

    def category(reward: float) -> object:
        return score(evidence(reward=reward), thresholds)["category"]

    assert category(accept_at) == "accepted"
    below = "partially_accepted" if partial_at < accept_at else "rejected"
    assert category(math.nextafter(accept_at, 0)) == below
    assert category(math.nextafter(partial_at, 0)) == "rejected"


def test_verdict_and_reward_contradict_each_other_from_the_thresholds_on() -> None:
    def reason(verdict: str, reward: float) -> object:
        return score(evidence(verdict=verdict, reward=reward), THRESHOLDS)["reasons"][0]

    assert reason("pass", 0.5) == "verdict_pass"
    assert reason("pass", math.nextafter(0.5, 0)) == "verdict_against_reward"
    assert reason("fail", 1.0) == "verdict_against_reward"
    assert reason("fail", math.nextafter(1.0, 0)) == "reward_partial"


@pytest.mark.parametrize(
    ("signals", "strength"),
    [
        ({"reward": 0.85}, 0.85),
        ({"verdict": "pass"}, 1.0),
        ({"verdict": "fail"}, 0.0),
        ({"success_markers": ["ok"]}, 0.5),
        ({}, 0.5),
        ({"human_override": OVERRIDE, "reward": 1.0}, 0.0),
        ({"response": "", "reward": 1.0}, 0.0),
    ],
)
def test_the_score_is_the_reward_unless_it_is_missing_or_overruled(
    signals: dict[str, Any], strength: float
) -> None:
    assert score(evidence(**signals), THRESHOLDS)["score"] == strength


def test_sub_scores_hold_the_recorded_signals_only() -> None:
    row = evidence(
        reward=0.25, verdict="fail", success_markers=["a"], failure_markers=["b", "c", "d"],
        validation={"compiles": True, "tests": False},
    )  # fmt: skip
    assert score(row, THRESHOLDS)["sub_scores"] == {
        "reward": 0.25,
        "verdict": 0.0,
        "markers": 0.25,
        "validation": 0.5,
    }
    assert score(evidence(verdict="error"), THRESHOLDS)["sub_scores"] == {}


@pytest.mark.parametrize(
    ("signals", "reason"),
    [
        ({"verdict": "maybe"}, ScoringSkipReason.UNKNOWN_VERDICT),
        ({"reward": 1.5}, ScoringSkipReason.REWARD_OUT_OF_RANGE),
        ({"reward": math.nan}, ScoringSkipReason.REWARD_OUT_OF_RANGE),
        ({"human_override": OVERRIDE | {"decision": "fine"}}, ScoringSkipReason.UNKNOWN_DECISION),
    ],
)
def test_damaged_evidence_is_refused_with_a_reason(
    signals: dict[str, Any], reason: ScoringSkipReason
) -> None:
    with pytest.raises(UnscorableError) as caught:
        score(evidence(**signals), THRESHOLDS)
    assert caught.value.reason is reason
    assert "maybe" not in caught.value.detail


SIGNALS = st.fixed_dictionaries(
    {
        "response": st.sampled_from([None, "", " ", "text"]),
        "success_markers": st.sampled_from([[], ["ok"]]),
        "failure_markers": st.sampled_from([[], ["error"]]),
        "verdict": st.sampled_from([None, "pass", "fail", "error"]),
        "reward": st.none() | st.floats(0, 1),
        "human_override": st.none()
        | st.sampled_from(CATEGORIES).map(lambda name: OVERRIDE | {"decision": name}),
        "validation": st.dictionaries(st.sampled_from("abc"), st.booleans()),
    }
)


@given(SIGNALS)
def test_every_combination_of_signals_gives_a_valid_row(signals: dict[str, Any]) -> None:
    row = score(evidence(**signals), THRESHOLDS)
    scored_run.ScoredRun.model_validate({**row, "recorded_at": "2026-01-01T00:00:00Z"})
    assert list(row) == [name for name in scored_run.ScoredRun.model_fields if name != "recorded_at"]


@given(SIGNALS)
def test_the_explanation_ends_with_the_rule_that_decided(signals: dict[str, Any]) -> None:
    row = evidence(**signals)
    outcomes = explain(row, THRESHOLDS)
    assert [outcome.fired for outcome in outcomes] == [False] * (len(outcomes) - 1) + [True]
    assert [outcome.reason for outcome in outcomes] == [rule.code for rule in RULES[: len(outcomes)]]
    assert outcomes[-1].reason.value == score(row, THRESHOLDS)["reasons"][0]
    assert all(outcome.why for outcome in outcomes)


def test_the_explanation_says_what_was_seen() -> None:
    outcomes = explain(conversation(verdict="pass", reward=0.25), THRESHOLDS)
    assert [outcome.why for outcome in outcomes] == [
        "nobody decided",
        "the flags are none",
        "2 of 2 assistant turns have text or a tool call",
        "success markers: none; failure markers: none",
        "the verdict is pass, the reward is 0.25 (partial_at 0.5, accept_at 1.0)",
    ]
    assert explain(evidence(human_override=OVERRIDE), THRESHOLDS)[0].why == "lee decided rejected"


def test_the_versions_are_those_of_the_schema_and_of_the_rules() -> None:
    assert scored_run.SCHEMA_VERSION == SCHEMA_VERSION
    assert score(evidence(), THRESHOLDS)["scorer_version"] == SCORER_VERSION
