"""The scoring rules of P3, in order. The first one that matches decides.

A rule is one entry of ``RULES``: its permanent code, the question it asks and its answer; the table
in ``docs/scoring.md`` is made of them. Codes are never renamed: scored rows and drift reports carry them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from pipeline.contracts.categories import ACCEPTED, NEEDS_HUMAN_REVIEW, PARTIALLY_ACCEPTED, REJECTED
from pipeline.stages.transcript import spoke

Evidence = dict[str, Any]

RANK = {ACCEPTED: 2, PARTIALLY_ACCEPTED: 1, REJECTED: 0}


class Thresholds(Protocol):
    """``[scoring]`` of the settings, frozen. Rewards from 0 to 1; ``partial_at`` ≤ ``accept_at``."""

    def __hash__(self) -> int: ...

    @property
    def accept_at(self) -> float: ...
    @property
    def partial_at(self) -> float: ...


class ReasonCode(StrEnum):
    """Why a run has its category. Permanent."""

    HUMAN_OVERRIDE = "human_override"
    ENVIRONMENT_ERROR = "environment_error"
    RESPONSE_EMPTY = "response_empty"
    CONTRADICTING_MARKERS = "contradicting_markers"
    VERDICT_AGAINST_REWARD = "verdict_against_reward"
    VERDICT_ERROR = "verdict_error"
    VERDICT_PASS = "verdict_pass"
    REWARD_ACCEPTED = "reward_accepted"
    REWARD_PARTIAL = "reward_partial"
    VERDICT_FAIL = "verdict_fail"
    REWARD_LOW = "reward_low"
    SOFT_SUCCESS = "soft_success"
    ONLY_FAILURE_MARKERS = "only_failure_markers"
    NO_SIGNAL = "no_signal"


class Signals(NamedTuple):
    """All that a verdict rests on. ``decision`` is a person's, a category."""

    decision: str | None
    environment_failed: bool
    is_empty: bool
    has_success_markers: bool
    has_failure_markers: bool
    verdict: str | None
    reward: float | None


@dataclass(frozen=True, slots=True)
class Rule:
    """``category`` is None where a person names it. ``matches`` sees signals and thresholds.

    A rule that ``overrules`` decides against the reward, which then is not the run's strength.
    """

    code: ReasonCode
    question: str
    category: str | None
    matches: Callable[[Signals, Thresholds], bool]
    overrules: bool = False


def signals_of(evidence: Evidence) -> Signals:
    """What the rules may look at; they see nothing else of the evidence."""
    override = evidence["human_override"]
    return Signals(
        None if override is None else override["decision"],
        ReasonCode.ENVIRONMENT_ERROR.value in evidence["flags"],
        response_is_recorded_and_empty(evidence),
        bool(evidence["success_markers"]),
        bool(evidence["failure_markers"]),
        evidence["verdict"],
        evidence["reward"],
    )


def response_is_recorded_and_empty(evidence: Evidence) -> bool:
    """Whether the log says that the model answered nothing; a response not recorded is not that.

    In a conversation: no assistant turn has text or a tool call.
    """
    messages = evidence["messages"]
    if messages:
        return not any(turn["role"] == "assistant" and spoke(turn) for turn in messages)
    response = evidence["response"]
    if response is None:
        return messages is not None
    return not response or response.isspace()


def _verdict_contradicts_reward(signals: Signals, thresholds: Thresholds) -> bool:
    if signals.reward is None:
        return False
    if signals.verdict == "pass":
        return signals.reward < thresholds.partial_at
    return signals.verdict == "fail" and signals.reward >= thresholds.accept_at


def _reward_is_at_least(signals: Signals, threshold: float) -> bool:
    return signals.reward is not None and signals.reward >= threshold


RULES: tuple[Rule, ...] = (
    Rule(
        ReasonCode.HUMAN_OVERRIDE,
        "Did a person decide?",
        None,
        lambda signals, _thresholds: signals.decision is not None,
        overrules=True,
    ),
    Rule(
        ReasonCode.ENVIRONMENT_ERROR,
        "Did the environment fail, and not the model?",
        NEEDS_HUMAN_REVIEW,
        lambda signals, _thresholds: signals.environment_failed,
        overrules=True,
    ),
    Rule(
        ReasonCode.RESPONSE_EMPTY,
        "Is the response recorded and empty?",
        REJECTED,
        lambda signals, _thresholds: signals.is_empty,
        overrules=True,
    ),
    Rule(
        ReasonCode.CONTRADICTING_MARKERS,
        "Are there both success and failure markers?",
        NEEDS_HUMAN_REVIEW,
        lambda signals, _thresholds: signals.has_success_markers and signals.has_failure_markers,
    ),
    Rule(
        ReasonCode.VERDICT_AGAINST_REWARD,
        "Is it a pass with a reward below partial_at, or a fail with a reward of accept_at or more?",
        NEEDS_HUMAN_REVIEW,
        _verdict_contradicts_reward,
    ),
    Rule(
        ReasonCode.VERDICT_ERROR,
        "Is the verdict error?",
        NEEDS_HUMAN_REVIEW,
        lambda signals, _thresholds: signals.verdict == "error",
    ),
    Rule(
        ReasonCode.VERDICT_PASS,
        "Is the verdict pass?",
        ACCEPTED,
        lambda signals, _thresholds: signals.verdict == "pass",
    ),
    Rule(
        ReasonCode.REWARD_ACCEPTED,
        "Is the reward accept_at or more?",
        ACCEPTED,
        lambda signals, thresholds: _reward_is_at_least(signals, thresholds.accept_at),
    ),
    Rule(
        ReasonCode.REWARD_PARTIAL,
        "Is the reward partial_at or more?",
        PARTIALLY_ACCEPTED,
        lambda signals, thresholds: _reward_is_at_least(signals, thresholds.partial_at),
    ),
    Rule(
        ReasonCode.VERDICT_FAIL,
        "Is the verdict fail?",
        REJECTED,
        lambda signals, _thresholds: signals.verdict == "fail",
    ),
    Rule(
        ReasonCode.REWARD_LOW,
        "Is there a reward (so it is below partial_at)?",
        REJECTED,
        lambda signals, _thresholds: signals.reward is not None,
    ),
    Rule(
        ReasonCode.SOFT_SUCCESS,
        "Are there success markers and nothing else?",
        PARTIALLY_ACCEPTED,
        lambda signals, _thresholds: signals.has_success_markers,
    ),
    Rule(
        ReasonCode.ONLY_FAILURE_MARKERS,
        "Are there failure markers and nothing else?",
        REJECTED,
        lambda signals, _thresholds: signals.has_failure_markers,
    ),
    Rule(
        ReasonCode.NO_SIGNAL,
        "Is there no signal at all?",
        NEEDS_HUMAN_REVIEW,
        lambda signals, _thresholds: True,
    ),
)


@lru_cache(maxsize=4096)
def deciding_rule(signals: Signals, thresholds: Thresholds) -> Rule:
    """The first rule that matches. Rows with the same signals are many, so answers are remembered."""
    return next(rule for rule in RULES if rule.matches(signals, thresholds))
