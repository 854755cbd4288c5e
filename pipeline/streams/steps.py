"""What a rule does to the value it found, step by step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pipeline.contracts.skips import SkipReason
from pipeline.settings.patterns import compile_pattern
from pipeline.settings.rules import Rule
from pipeline.streams.misfit import MisfitError, wrong_type
from pipeline.streams.texts import json_text, scalar_text
from pipeline.streams.times import milliseconds, timestamp

Step = Callable[[Any], Any]
"""From a value that is not null to a value or null. Raises MisfitError."""


def compile_steps(rule: Rule) -> list[Step]:
    """The steps of ``rule`` in their fixed order, ``lenient`` and ``default`` left to the caller."""
    steps: list[Step] = []
    if rule.nulls:
        steps.append(_nulls(rule.nulls))
    if rule.regex is not None:
        steps.append(_regex(rule.regex))
    if rule.map is not None:
        steps.append(_map(rule.map))
    if rule.divide_by is not None:
        steps.append(_divide(rule.divide_by))
    if rule.pass_at is not None:
        steps.append(_verdict(rule.pass_at, rule.pass_at if rule.fail_below is None else rule.fail_below))
    if rule.duration is not None:
        unit = rule.duration
        steps.append(lambda value: milliseconds(value, unit))
    if rule.time:
        formats = rule.time
        steps.append(lambda value: timestamp(value, formats))
    if rule.to_text:
        steps.append(json_text)
    return steps


def _nulls(nulls: Sequence[str | bool | float]) -> Step:
    # With the type, since True equals 1 in Python.
    members = {(isinstance(null, bool), null) for null in nulls}

    def step(value: Any) -> Any:
        if type(value) is list or type(value) is dict:
            return value
        return None if (type(value) is bool, value) in members else value

    return step


def _regex(pattern: str) -> Step:
    find = compile_pattern(pattern).find

    def step(value: Any) -> Any:
        if type(value) is not str:
            raise wrong_type("a text to search in", value)
        return find(value)

    return step


def _map(table: Mapping[str, str | bool | float]) -> Step:
    def step(value: Any) -> Any:
        mapped = table.get(scalar_text(value), table.get("*"))
        if mapped is None:
            raise MisfitError(SkipReason.WRONG_TYPE, "a value that its map does not have")
        return mapped

    return step


def _number(value: Any) -> float:
    if type(value) is not int and type(value) is not float:
        raise wrong_type("a number", value)
    return value


def _divide(divisor: float) -> Step:
    return lambda value: _number(value) / divisor


def _verdict(pass_at: float, fail_below: float) -> Step:
    def step(value: Any) -> str | None:
        number = _number(value)
        if number >= pass_at:
            return "pass"
        return "fail" if number < fail_below else None

    return step
