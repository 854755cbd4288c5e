"""``when`` and ``where``: one declared condition to one function of a source line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pipeline.settings.patterns import compile_pattern
from pipeline.settings.rules import Condition
from pipeline.streams.paths import Getter, compile_path

Predicate = Callable[[dict[str, Any]], bool]
Test = Callable[[dict[str, Any], Any], bool]


def compile_all(conditions: Sequence[Condition]) -> Predicate | None:
    """One predicate that holds where all do; None where there is nothing to ask."""
    predicates = [compile_condition(condition) for condition in conditions]
    if not predicates:
        return None
    if len(predicates) == 1:
        return predicates[0]
    return lambda line: all(predicate(line) for predicate in predicates)


def compile_condition(condition: Condition) -> Predicate:
    if condition.expression is not None:
        return _expression(condition.expression)
    if condition.not_ is not None:
        inner = compile_condition(condition.not_)
        return lambda line: not inner(line)
    if condition.all_ is not None:
        members = [compile_condition(member) for member in condition.all_]
        return lambda line: all(member(line) for member in members)
    if condition.any_ is not None:
        members = [compile_condition(member) for member in condition.any_]
        return lambda line: any(member(line) for member in members)
    assert condition.path is not None  # noqa: S101 the model has seen to it
    return _tests(compile_path(condition.path), list(_each_test(condition)))


def _expression(path: str) -> Predicate:
    get = compile_path(path)

    def holds(line: dict[str, Any]) -> bool:
        value = get(line)
        # JMESPath's truth, not Python's: 0 is true there.
        return value is not None and value is not False and value not in ("", [], {})

    return holds


def _tests(get: Getter, tests: Sequence[Test]) -> Predicate:
    if len(tests) == 1:
        only = tests[0]
        return lambda line: only(line, get(line))

    def holds(line: dict[str, Any]) -> bool:
        value = get(line)
        return all(test(line, value) for test in tests)

    return holds


def _each_test(condition: Condition) -> Sequence[Test]:
    tests: list[Test] = []
    if condition.equals is not None:
        tests.append(_equals(condition.equals))
    if condition.not_equals is not None:
        equal = _equals(condition.not_equals)
        tests.append(lambda line, value: not equal(line, value))
    if condition.in_ is not None:
        members = [_equals(member) for member in condition.in_]
        tests.append(lambda line, value: any(member(line, value) for member in members))
    if condition.matches is not None:
        found = compile_pattern(condition.matches).found
        tests.append(lambda _line, value: type(value) is str and found(value))
    if condition.exists is not None:
        expected = condition.exists
        tests.append(lambda _line, value: (value is not None) is expected)
    for bound, compare in _COMPARISONS:
        limit = getattr(condition, bound)
        if limit is not None:
            tests.append(_comparison(limit, compare))
    return tests


def _equals(expected: str | bool | float) -> Test:
    # In Python True equals 1; in a log they are different answers.
    truth = isinstance(expected, bool)
    return lambda _line, value: (type(value) is bool) is truth and value == expected


_COMPARISONS: tuple[tuple[str, Callable[[float, float], bool]], ...] = (
    ("above", lambda value, limit: value > limit),
    ("at_least", lambda value, limit: value >= limit),
    ("below", lambda value, limit: value < limit),
    ("at_most", lambda value, limit: value <= limit),
)


def _comparison(limit: float | str, compare: Callable[[float, float], bool]) -> Test:
    if isinstance(limit, str):
        other = compile_path(limit)

        def against_path(line: dict[str, Any], value: Any) -> bool:
            bound = other(line)
            return _is_number(value) and _is_number(bound) and compare(value, bound)

        return against_path
    return lambda _line, value: _is_number(value) and compare(value, limit)


def _is_number(value: Any) -> bool:
    return type(value) is int or type(value) is float
