"""Any value to the type of its evidence field, or MisfitError.

Nothing is guessed: a text is not a number, and true is not 1. So every evidence row is valid by
construction, and validated against the schema in tests only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipeline.contracts.categories import CATEGORIES
from pipeline.contracts.skips import SkipReason
from pipeline.streams.misfit import MisfitError, wrong_type
from pipeline.streams.texts import scalar_text
from pipeline.streams.times import timestamp
from pipeline.streams.tools import tools_text

_LARGEST_COUNT = 2**63 - 1


def text(value: Any) -> str:
    if type(value) is str:
        return value
    raise wrong_type("a text", value)


def identity(value: Any) -> str:
    """A task's id: a text or a whole number; an empty text is no id."""
    if value == "":
        raise MisfitError(SkipReason.MISSING_FIELD, "empty")
    if type(value) is not str and type(value) is not int:
        raise wrong_type("a text or a whole number", value)
    return str(value)


def verdict(value: Any) -> str:
    if type(value) is bool:
        return "pass" if value else "fail"
    if type(value) is not str:
        raise wrong_type("true, false, pass, fail or error", value)
    if value in ("pass", "fail", "error"):
        return value
    raise MisfitError(
        SkipReason.WRONG_TYPE, "expected pass, fail or error, found another text (map can name it)"
    )


def _number(value: Any) -> float:
    if type(value) is int or type(value) is float:
        return float(value)
    raise wrong_type("a number", value)


def fraction(value: Any) -> float:
    number = _number(value)
    if 0.0 <= number <= 1.0:
        return number
    raise MisfitError(SkipReason.VALUE_OUT_OF_RANGE, "expected 0 to 1 (divide_by can scale it)")


def amount(value: Any) -> float:
    number = _number(value)
    if number >= 0.0:
        return number
    raise MisfitError(SkipReason.VALUE_OUT_OF_RANGE, "expected 0 or more")


def count(value: Any) -> int:
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not int:
        raise wrong_type("a whole number", value)
    if 0 <= value <= _LARGEST_COUNT:
        return value
    raise MisfitError(SkipReason.VALUE_OUT_OF_RANGE, "expected 0 or more, within 63 bits")


def boolean(value: Any) -> bool:
    if type(value) is bool:
        return value
    raise wrong_type("true or false", value)


def category(value: Any) -> str:
    if type(value) is not str:
        raise wrong_type("a category", value)
    if value in CATEGORIES:
        return value
    raise MisfitError(SkipReason.WRONG_TYPE, f"expected {', '.join(CATEGORIES)} (map can name it)")


def person(value: Any) -> str:
    """Who decided: a name, or a number that stands for one."""
    return scalar_text(value)


def labels(value: Any) -> list[str]:
    """One label, or a list of them."""
    return [scalar_text(item) for item in value] if type(value) is list else [scalar_text(value)]


FIELD_COERCERS: dict[str, Callable[[Any], Any]] = {
    "task_id": identity,
    "timestamp": timestamp,
    "model_name": text,
    "model_provider": text,
    "instruction": text,
    "context": text,
    "response": text,
    "goal": text,
    "tools": tools_text,
    "finish_reason": text,
    "reward": fraction,
    "verdict": verdict,
    "tokens": count,
    "cost_usd": amount,
    "latency_ms": amount,
}
"""The fields that hold one value. Messages, labels, validation and override are made elsewhere."""
