"""Why an exporter refuses a scored run. Each refusal is one quarantined row."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from pipeline.contracts.lint import REFUSABLE


class QuarantineReason(StrEnum):
    """Permanent codes, each with its section in ``docs/exports.md``."""

    _ignore_ = "code"

    CATEGORY_NOT_ALLOWED = "category_not_allowed"
    STREAM_NOT_FED = "stream_not_fed"
    RESPONSE_NOT_RECORDED = "response_not_recorded"
    RESPONSE_EMPTY = "response_empty"
    INSTRUCTION_MISSING = "instruction_missing"
    TOO_LONG = "too_long"
    SECRET_FOUND = "secret_found"
    TRUNCATED = "truncated"
    ENVIRONMENT_ERROR = "environment_error"
    NOTHING_TO_LEARN = "nothing_to_learn"
    # Refused where a setting says so.
    TEMPLATE_WOULD_REFUSE = "template_would_refuse"
    for code in REFUSABLE:
        vars()[code.name] = code.value
    SCHEMA_REFUSED = "schema_refused"
    CONFLICTING_VERDICT = "conflicting_verdict"
    DUPLICATE_SAMPLE = "duplicate_sample"
    EVALUATION_OVERLAP = "evaluation_overlap"
    PII_FOUND = "pii_found"
    CATEGORY_LEFT_OUT = "category_left_out"
    BELOW_PARTIAL_AT = "below_partial_at"
    PREFIX_OF = "prefix_of"
    NEAR_DUPLICATE = "near_duplicate"
    BETTER_PLAYBOOK = "better_playbook"
    TASK_CAP = "task_cap"
    STREAM_CAP = "stream_cap"
    ROW_CAP = "row_cap"
    LENGTH_GAP = "length_gap"
    NEEDS_MESSAGES = "needs_messages"
    ARGUMENTS_NOT_OBJECT = "arguments_not_object"
    TEXT_BESIDE_CALL = "text_beside_call"
    CALL_UNSUPPORTED = "call_unsupported"
    WEIGHT_UNSUPPORTED = "weight_unsupported"
    REASONING_UNSUPPORTED = "reasoning_unsupported"
    TURNS_NOT_ALTERNATING = "turns_not_alternating"
    NEEDS_ONE_TURN = "needs_one_turn"
    PROMPT_DIFFERS = "prompt_differs"
    NO_COUNTERPART = "no_counterpart"
    NONE_PASSED = "none_passed"
    PAIR_CAP = "pair_cap"


# Rules that hold without a setting and came after the first release: an upgrade alone may move rows
# by them, which is neither drift nor a loss.
LATER_RULES = (
    QuarantineReason.PREFIX_OF,
    QuarantineReason.BETTER_PLAYBOOK,
    QuarantineReason.NONE_PASSED,
    QuarantineReason.TRUNCATED,
    QuarantineReason.ENVIRONMENT_ERROR,
)


class Refusal(NamedTuple):
    """``detail`` says what the code leaves open. It holds no text of the run."""

    reason: QuarantineReason
    detail: str = ""
