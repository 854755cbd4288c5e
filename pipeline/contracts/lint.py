"""What can be wrong with a conversation that is to be learned from. The codes are permanent."""

from __future__ import annotations

from enum import StrEnum


class LintCode(StrEnum):
    """One member a kind. ``docs/exports.md`` has a line for each (a test compares them)."""

    FIRST_TURN = "first_turn"
    ALTERNATION = "alternation"
    MID_SYSTEM = "mid_system"
    ORPHAN_TOOL_RESULT = "orphan_tool_result"
    MISSING_TOOL_RESULT = "missing_tool_result"
    DOUBLED_CALL_ID = "doubled_call_id"
    EMPTY_TURN = "empty_turn"
    TEMPLATE_MARKUP = "template_markup"
    UNKNOWN_TOOL = "unknown_tool"
    ARGUMENTS_NOT_JSON = "arguments_not_json"
    ARGUMENTS_MISSING = "arguments_missing"
    ARGUMENTS_MISTYPED = "arguments_mistyped"
    REPEATED_CALL = "repeated_call"


class NotRecorded(StrEnum):
    """Flags of evidence that say what a log cannot; a row may be refused for them too."""

    SYSTEM_NOT_RECORDED = "system_not_recorded"
    TOOLS_NOT_RECORDED = "tools_not_recorded"
    REASONING_MISSING = "reasoning_missing"


class RewardHack(StrEnum):
    """Flags of evidence: signs that tests were met by other means than the task. They refuse nothing."""

    TESTS_EDITED = "tests_edited"
    ASSERTIONS_DELETED = "assertions_deleted"
    EXITS_EARLY = "exits_early"
    TESTS_SKIPPED = "tests_skipped"
    SPECIAL_CASED = "special_cased"


REFUSABLE: tuple[LintCode | NotRecorded, ...] = (*LintCode, *NotRecorded)
"""What ``[export] refuse`` may name: each is a reason of quarantine of the same name."""
