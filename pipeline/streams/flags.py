"""What to know of a run before it is used: what its log cannot say, how it ended, signs of a reward hack.

A run that was cut off or that its environment failed is no example of anything: the exporters
keep it out of training. What a log does not say is only flagged.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pipeline.contracts.lint import NotRecorded, RewardHack
from pipeline.streams.messages import Conversation
from pipeline.streams.reward_hacks import reward_hacks
from pipeline.streams.tool_calls import is_unfinished


class Flag(StrEnum):
    """Permanent codes, each with its line in ``docs/streams.md``."""

    SYSTEM_NOT_RECORDED = NotRecorded.SYSTEM_NOT_RECORDED.value
    TOOLS_NOT_RECORDED = NotRecorded.TOOLS_NOT_RECORDED.value
    REASONING_MISSING = NotRecorded.REASONING_MISSING.value
    TRUNCATED = "truncated"
    ENVIRONMENT_ERROR = "environment_error"
    TESTS_EDITED = RewardHack.TESTS_EDITED.value
    ASSERTIONS_DELETED = RewardHack.ASSERTIONS_DELETED.value
    EXITS_EARLY = RewardHack.EXITS_EARLY.value
    TESTS_SKIPPED = RewardHack.TESTS_SKIPPED.value
    SPECIAL_CASED = RewardHack.SPECIAL_CASED.value


# The words of several APIs for an answer that was cut off, without regard to case.
CUT_OFF = frozenset(
    (
        "length",
        "content_filter",
        "max_tokens",
        "max_output_tokens",
        "model_length",
        "model_context_window_exceeded",
        "incomplete",
        "refusal",
        "safety",
        "recitation",
        "blocklist",
        "prohibited_content",
        "spii",
        "error_toxic",
        "abort",
        "truncated",
    )
)


def flags_of(
    row: dict[str, Any], conversation: Conversation | None, environment_failed: bool, tools_are_told: bool
) -> list[str]:
    """The flags of one evidence row, whose other fields are complete, in the order of ``Flag``."""
    flags = []
    if conversation is not None:
        messages = conversation.messages
        if row["context"] is None and not any(turn["role"] == "system" for turn in messages):
            flags.append(Flag.SYSTEM_NOT_RECORDED.value)
        if not tools_are_told and any(turn["tool_calls"] or turn["role"] == "tool" for turn in messages):
            flags.append(Flag.TOOLS_NOT_RECORDED.value)
        if conversation.reasoning_missing:
            flags.append(Flag.REASONING_MISSING.value)
    if _was_cut_off(row["finish_reason"]) or (conversation is not None and _ends_in_a_call(conversation)):
        flags.append(Flag.TRUNCATED.value)
    if environment_failed:
        flags.append(Flag.ENVIRONMENT_ERROR.value)
    if conversation is not None:
        said = [turn for turn in conversation.messages if turn["role"] == "assistant"]
        answers = [turn["content"] for turn in said if turn["content"]]
        return flags + reward_hacks(
            answers, (call["arguments"] for turn in said for call in turn["tool_calls"] or ())
        )
    return flags + reward_hacks([row["response"]], ()) if row["response"] else flags


def _was_cut_off(finish_reason: str | None) -> bool:
    return finish_reason is not None and finish_reason.lower() in CUT_OFF


def _ends_in_a_call(conversation: Conversation) -> bool:
    """Whether the last that the model wrote is a call whose arguments break off."""
    for turn in reversed(conversation.messages):
        if turn["role"] == "assistant" and (turn["tool_calls"] or turn["content"]):
            return bool(turn["tool_calls"]) and is_unfinished(turn["tool_calls"][-1]["arguments"])
    return False
