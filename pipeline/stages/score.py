"""P3: one evidence row to its category. Pure: no clock, no randomness, no file access.

The rules and their order live in ``scoring_rules``; what ``score`` and ``sub_scores`` mean is
written in ``docs/scoring.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pipeline.contracts.categories import (
    ACCEPTED,
    CATEGORIES,
    NEEDS_HUMAN_REVIEW,
    PARTIALLY_ACCEPTED,
    REJECTED,
)
from pipeline.stages.row_identity import place_of
from pipeline.stages.scoring_rules import (
    RULES,
    Evidence,
    ReasonCode,
    Rule,
    Signals,
    Thresholds,
    deciding_rule,
    signals_of,
)

SCHEMA_VERSION = 1  # of the rows made here; tests/pipeline/stages/test_score.py holds it to the schema's
SCORER_VERSION = "2"  # of the rules: any change that can move a row to another category raises it

# The strength of a run whose log has no reward. A review is neither right nor wrong.
STRENGTH = {ACCEPTED: 1.0, PARTIALLY_ACCEPTED: 0.5, NEEDS_HUMAN_REVIEW: 0.5, REJECTED: 0.0}

_VERDICTS = frozenset((None, "pass", "fail", "error"))


class ScoringSkipReason(StrEnum):
    """Why an evidence row cannot be scored. Permanent; written to ``scoring_skips.jsonl``."""

    UNKNOWN_DECISION = "unknown_decision"
    UNKNOWN_VERDICT = "unknown_verdict"
    REWARD_OUT_OF_RANGE = "reward_out_of_range"


class UnscorableError(ValueError):
    """The row is not evidence as P2 writes it: it was edited or damaged. ``detail`` quotes no data."""

    def __init__(self, reason: ScoringSkipReason, detail: str) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """One line of ``distill explain``: the rule's question, its code, and what was seen."""

    rule: str
    reason: ReasonCode
    fired: bool
    why: str


def score(evidence: Evidence, thresholds: Thresholds) -> dict[str, Any]:
    """The scored row of ``evidence``, in the schema's key order and without ``recorded_at``.

    ``provenance`` is shared with evidence of one line, not copied. Raises UnscorableError.
    """
    reward = evidence["reward"]
    verdict = evidence["verdict"]
    if verdict not in _VERDICTS:
        raise UnscorableError(ScoringSkipReason.UNKNOWN_VERDICT, "the verdict is none of pass, fail, error")
    if reward is not None and not 0.0 <= reward <= 1.0:
        raise UnscorableError(ScoringSkipReason.REWARD_OUT_OF_RANGE, "the reward is not a number from 0 to 1")
    signals = signals_of(evidence)
    rule = deciding_rule(signals, thresholds)
    category = rule.category or _decision(signals)
    strength = STRENGTH[category] if reward is None or rule.overrules else float(reward)
    return {
        "schema_version": SCHEMA_VERSION,
        "run_id": evidence["run_id"],
        "task_id": evidence["task_id"],
        "stream": evidence["stream"],
        "category": category,
        "score": strength,
        "reasons": [rule.code.value],
        "sub_scores": _sub_scores(evidence),
        "scorer_version": SCORER_VERSION,
        "provenance": place_of(evidence),
    }


def _decision(signals: Signals) -> str:
    if signals.decision not in CATEGORIES:
        raise UnscorableError(ScoringSkipReason.UNKNOWN_DECISION, "the human decision is not a category")
    return signals.decision


def _sub_scores(evidence: Evidence) -> dict[str, float]:
    """Each recorded signal alone, from 0 to 1. A signal that the log does not have is left out."""
    found: dict[str, float] = {}
    if (reward := evidence["reward"]) is not None:
        found["reward"] = float(reward)
    verdict = evidence["verdict"]
    if verdict == "pass":
        found["verdict"] = 1.0
    elif verdict == "fail":
        found["verdict"] = 0.0
    successes, failures = evidence["success_markers"], evidence["failure_markers"]
    if successes or failures:
        found["markers"] = len(successes) / (len(successes) + len(failures))
    if validation := evidence["validation"]:
        found["validation"] = sum(validation.values()) / len(validation)
    return found


def explain(evidence: Evidence, thresholds: Thresholds) -> list[RuleOutcome]:
    """The rules as they were asked, in order, up to and including the one that decided."""
    outcomes = []
    signals = signals_of(evidence)
    for rule in RULES:
        fired = rule.matches(signals, thresholds)
        outcomes.append(RuleOutcome(rule.question, rule.code, fired, _seen(rule, evidence, thresholds)))
        if fired:
            break
    return outcomes


def _seen(rule: Rule, evidence: Evidence, thresholds: Thresholds) -> str:
    """What the rule looked at, in words. May quote the log: print it through ``visible``."""
    match rule.code:
        case ReasonCode.HUMAN_OVERRIDE:
            override = evidence["human_override"]
            if override is None:
                return "nobody decided"
            return f"{override['by'] or 'somebody'} decided {override['decision']}"
        case ReasonCode.ENVIRONMENT_ERROR:
            return f"the flags are {', '.join(evidence['flags']) or 'none'}"
        case ReasonCode.RESPONSE_EMPTY:
            return _seen_response(evidence)
        case ReasonCode.CONTRADICTING_MARKERS | ReasonCode.SOFT_SUCCESS | ReasonCode.ONLY_FAILURE_MARKERS:
            return (
                f"success markers: {', '.join(evidence['success_markers']) or 'none'}; "
                f"failure markers: {', '.join(evidence['failure_markers']) or 'none'}"
            )
        case ReasonCode.VERDICT_ERROR | ReasonCode.VERDICT_PASS | ReasonCode.VERDICT_FAIL:
            return _seen_verdict(evidence)
        case ReasonCode.VERDICT_AGAINST_REWARD:
            return f"{_seen_verdict(evidence)}, {_seen_reward(evidence, thresholds)}"
        case ReasonCode.REWARD_ACCEPTED | ReasonCode.REWARD_PARTIAL | ReasonCode.REWARD_LOW:
            return _seen_reward(evidence, thresholds)
        case ReasonCode.NO_SIGNAL:
            return "no decision, verdict, reward or marker is recorded"


def _seen_verdict(evidence: Evidence) -> str:
    return f"the verdict is {evidence['verdict'] or 'not recorded'}"


def _seen_reward(evidence: Evidence, thresholds: Thresholds) -> str:
    bounds = f"(partial_at {thresholds.partial_at}, accept_at {thresholds.accept_at})"
    reward = evidence["reward"]
    return f"the reward is {'not recorded' if reward is None else reward} {bounds}"


def _seen_response(evidence: Evidence) -> str:
    messages = evidence["messages"]
    if messages:
        answering = [turn for turn in messages if turn["role"] == "assistant"]
        spoken = sum(1 for turn in answering if turn["tool_calls"] or (turn["content"] or "").strip())
        return f"{spoken} of {len(answering)} assistant turns have text or a tool call"
    if evidence["response"] is None:
        return "the response is not recorded" if messages is None else "the conversation has no turns"
    return f"the response has {len(evidence['response'])} characters"
