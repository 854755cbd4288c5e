"""Why a source line yields no evidence. The codes are permanent: operators grep for them."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class SkipReason(StrEnum):
    """One member a reason. ``docs/streams.md`` has a line for each (a test compares them)."""

    # What the bytes are, before any rule is asked.
    OVERSIZE = "oversize"
    TORN_TAIL = "torn_tail"
    ARCHIVE_DAMAGED = "archive_damaged"
    BLANK_LINE = "blank_line"
    INVALID_UTF8 = "invalid_utf8"
    NUL_BYTE = "nul_byte"
    TOO_DEEP = "too_deep"
    MALFORMED_JSON = "malformed_json"
    NON_FINITE_NUMBER = "non_finite_number"
    NUMBER_OUT_OF_RANGE = "number_out_of_range"
    LONE_SURROGATE = "lone_surrogate"
    NOT_AN_OBJECT = "not_an_object"
    DUPLICATE_KEY = "duplicate_key"
    # What the rules make of it.
    FILTERED_OUT = "filtered_out"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    VALUE_OUT_OF_RANGE = "value_out_of_range"
    LOOKUP_MISSING = "lookup_missing"
    NO_PARTS = "no_parts"
    TOO_LONG = "too_long"
    # What the other lines of the stream make of it.
    DUPLICATE_LINE = "duplicate_line"
    DUPLICATE_LOOKUP_KEY = "duplicate_lookup_key"


class LineFault(NamedTuple):
    """One skipped line. ``detail`` says what the code leaves open and quotes nothing of the line."""

    reason: SkipReason
    detail: str
