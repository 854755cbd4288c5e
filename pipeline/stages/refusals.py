"""Why an exporter refuses a scored run. Each refusal is one quarantined row."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class QuarantineReason(StrEnum):
    """Permanent codes, each with its section in ``docs/exports.md``."""

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
    SCHEMA_REFUSED = "schema_refused"
    CONFLICTING_VERDICT = "conflicting_verdict"
    DUPLICATE_SAMPLE = "duplicate_sample"
    EVALUATION_OVERLAP = "evaluation_overlap"
    NEEDS_MESSAGES = "needs_messages"
    ARGUMENTS_NOT_OBJECT = "arguments_not_object"
    PROMPT_DIFFERS = "prompt_differs"
    NO_COUNTERPART = "no_counterpart"
    NONE_PASSED = "none_passed"
    PAIR_CAP = "pair_cap"


class Refusal(NamedTuple):
    """``detail`` says what the code leaves open. It holds no text of the run."""

    reason: QuarantineReason
    detail: str = ""
