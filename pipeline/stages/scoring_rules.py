"""The scoring rules of P3, in order. The first one that matches decides.

A rule is one entry of ``RULES``: its permanent code, the question it asks and its answer.
Adding a rule is one member of ``ReasonCode``, one entry, one test and one section of
``docs/scoring.md``. Codes are never renamed: scored rows and drift reports carry them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

Evidence = dict[str, Any]

ACCEPTED = "accepted"
PARTIALLY_ACCEPTED = "partially_accepted"
NEEDS_HUMAN_REVIEW = "needs_human_review"
REJECTED = "rejected"
# From best to worst. A review says nothing about quality, so it has no rank (see RANK).
CATEGORIES = (ACCEPTED, PARTIALLY_ACCEPTED, NEEDS_HUMAN_REVIEW, REJECTED)
RANK = {ACCEPTED: 2, PARTIALLY_ACCEPTED: 1, REJECTED: 0}


class Thresholds(Protocol):
    """``[scoring]`` of the settings. Both are rewards from 0 to 1; ``partial_at`` ≤ ``accept_at``."""

    @property
    def accept_at(self) -> float: ...
    @property
    def partial_at(self) -> float: ...


class ReasonCode(StrEnum):
    """Why a run has its category. Permanent."""

    HUMAN_OVERRIDE = "human_override"
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


@dataclass(frozen=True, slots=True)
class Rule:
    """``category`` is None where the evidence itself names the category (a human decision)."""

    code: ReasonCode
    question: str
    category: str | None
    matches: Callable[[Evidence, Thresholds], bool]


def response_is_recorded_and_empty(evidence: Evidence) -> bool:
    """Whether the log says that the model answered nothing; a response not recorded is not that.

    In a conversation: no assistant turn has text or a tool call.
    """
    messages = evidence["messages"]
    response = evidence["response"]
    if not messages:
        if response is None:
            return messages is not None
        return not response or response.isspace()
    for turn in messages:
        if turn["role"] == "assistant":
            content = turn["content"]
            if turn["tool_calls"] or (content and not content.isspace()):
                return False
    return True


def _has_override(evidence: Evidence, thresholds: Thresholds) -> bool:
    return evidence["human_override"] is not None


def _is_empty(evidence: Evidence, thresholds: Thresholds) -> bool:
    return response_is_recorded_and_empty(evidence)


def _markers_contradict(evidence: Evidence, thresholds: Thresholds) -> bool:
    return bool(evidence["success_markers"] and evidence["failure_markers"])


def _verdict_contradicts_reward(evidence: Evidence, thresholds: Thresholds) -> bool:
    reward = evidence["reward"]
    if reward is None:
        return False
    verdict = evidence["verdict"]
    if verdict == "pass":
        return bool(reward < thresholds.partial_at)
    return verdict == "fail" and bool(reward >= thresholds.accept_at)


def _verdict_is_error(evidence: Evidence, thresholds: Thresholds) -> bool:
    return bool(evidence["verdict"] == "error")


def _verdict_is_pass(evidence: Evidence, thresholds: Thresholds) -> bool:
    return bool(evidence["verdict"] == "pass")


def _reward_is_accepted(evidence: Evidence, thresholds: Thresholds) -> bool:
    reward = evidence["reward"]
    return reward is not None and bool(reward >= thresholds.accept_at)


def _reward_is_partial(evidence: Evidence, thresholds: Thresholds) -> bool:
    reward = evidence["reward"]
    return reward is not None and bool(reward >= thresholds.partial_at)


def _verdict_is_fail(evidence: Evidence, thresholds: Thresholds) -> bool:
    return bool(evidence["verdict"] == "fail")


def _has_reward(evidence: Evidence, thresholds: Thresholds) -> bool:
    return evidence["reward"] is not None


def _has_success_markers(evidence: Evidence, thresholds: Thresholds) -> bool:
    return bool(evidence["success_markers"])


def _has_failure_markers(evidence: Evidence, thresholds: Thresholds) -> bool:
    return bool(evidence["failure_markers"])


def _always(evidence: Evidence, thresholds: Thresholds) -> bool:
    return True


RULES: tuple[Rule, ...] = (
    Rule(ReasonCode.HUMAN_OVERRIDE, "Did a person decide?", None, _has_override),
    Rule(ReasonCode.RESPONSE_EMPTY, "Is the response recorded and empty?", REJECTED, _is_empty),
    Rule(
        ReasonCode.CONTRADICTING_MARKERS,
        "Are there both success and failure markers?",
        NEEDS_HUMAN_REVIEW,
        _markers_contradict,
    ),
    Rule(
        ReasonCode.VERDICT_AGAINST_REWARD,
        "Is it a pass with a reward below partial_at, or a fail with a reward of accept_at or more?",
        NEEDS_HUMAN_REVIEW,
        _verdict_contradicts_reward,
    ),
    Rule(ReasonCode.VERDICT_ERROR, "Is the verdict error?", NEEDS_HUMAN_REVIEW, _verdict_is_error),
    Rule(ReasonCode.VERDICT_PASS, "Is the verdict pass?", ACCEPTED, _verdict_is_pass),
    Rule(ReasonCode.REWARD_ACCEPTED, "Is the reward accept_at or more?", ACCEPTED, _reward_is_accepted),
    Rule(
        ReasonCode.REWARD_PARTIAL, "Is the reward partial_at or more?", PARTIALLY_ACCEPTED, _reward_is_partial
    ),
    Rule(ReasonCode.VERDICT_FAIL, "Is the verdict fail?", REJECTED, _verdict_is_fail),
    Rule(ReasonCode.REWARD_LOW, "Is there a reward (so it is below partial_at)?", REJECTED, _has_reward),
    Rule(
        ReasonCode.SOFT_SUCCESS,
        "Are there success markers and nothing else?",
        PARTIALLY_ACCEPTED,
        _has_success_markers,
    ),
    Rule(
        ReasonCode.ONLY_FAILURE_MARKERS,
        "Are there failure markers and nothing else?",
        REJECTED,
        _has_failure_markers,
    ),
    Rule(ReasonCode.NO_SIGNAL, "Is there no signal at all?", NEEDS_HUMAN_REVIEW, _always),
)
