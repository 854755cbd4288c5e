"""A single value as text, one way for keys of maps, pieces of joins, templates and ids."""

from __future__ import annotations

import json
from typing import Any

import orjson

from pipeline.contracts.skips import SkipReason
from pipeline.streams.misfit import MisfitError, wrong_type


def scalar_text(value: Any) -> str:
    """``value`` as JSON would spell it, a text as it is. Raises MisfitError for a list or an object."""
    kind = type(value)
    if kind is str:
        return value  # type: ignore[no-any-return]
    if kind is int:
        return str(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is float:
        return orjson.dumps(value).decode()
    raise wrong_type("a text or a number", value)


def parsed_exactly(text: str) -> Any:
    """The value of a JSON text that hides nothing: no repeated key, no number that is none or has no end.

    Integers of any size stay what they are. Raises MisfitError.
    """

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(found)
        if len(made) != len(found):
            raise MisfitError(SkipReason.WRONG_TYPE, "expected JSON, found a key that is given twice")
        return made

    def constant(_name: str) -> None:
        raise ValueError

    def finite(number: str) -> float:
        value = float(number)
        if value in (float("inf"), float("-inf")):
            raise MisfitError(SkipReason.NUMBER_OUT_OF_RANGE, "JSON in a text: a number does not fit 64 bits")
        return value

    try:
        value = json.loads(text, object_pairs_hook=pairs, parse_constant=constant, parse_float=finite)
        if "\\u" in text:
            # Half of a surrogate pair is no character, and no row could be written with it.
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise MisfitError(
            SkipReason.LONE_SURROGATE, "JSON in a text: half of a surrogate pair is escaped by itself"
        ) from None
    except (ValueError, RecursionError):
        raise MisfitError(SkipReason.WRONG_TYPE, "expected JSON, found another text") from None
    return value


def written_exactly(value: Any) -> str:
    """A value that was read from JSON as compact JSON, integers of any size as they are."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def json_text(value: Any) -> str:
    """A text as it is, anything else as compact JSON."""
    return value if type(value) is str else written_exactly(value)
