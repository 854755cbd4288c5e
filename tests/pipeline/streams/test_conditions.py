"""Conditions hold for what they say, by type as well as by value."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.settings.rules import StreamRules
from pipeline.streams.conditions import compile_all

LINE = {
    "ok": True,
    "off": False,
    "one": 1,
    "zero": 0,
    "score": [8.5, 8.0],
    "text": "abc",
    "empty": "",
    "none": None,
    "deep": {"state": "error"},
}


def holds(condition: Any) -> bool:
    predicate = compile_all(StreamRules.model_validate({"where": condition}).where)
    assert predicate is not None
    return predicate(LINE)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("ok", True),
        ("off", False),
        ("zero", True),  # JMESPath's truth: a number is something
        ("empty", False),
        ("gone", False),
        ("score[0] > score[1]", True),
        ("contains(text, 'b')", True),
        ({"path": "ok", "equals": True}, True),
        ({"path": "one", "equals": True}, False),  # 1 is not true
        ({"path": "ok", "equals": 1}, False),
        ({"path": "one", "equals": 1.0}, True),
        ({"path": "deep.state", "equals": "error"}, True),
        ({"path": "gone", "equals": False}, False),
        ({"path": "gone", "not_equals": "x"}, True),
        ({"path": "text", "not_equals": "abc"}, False),
        ({"path": "text", "in": ["x", "abc"]}, True),
        ({"path": "one", "in": [True, "1"]}, False),
        ({"path": "text", "matches": "^a.c$"}, True),
        ({"path": "one", "matches": "1"}, False),
        ({"path": "none", "exists": False}, True),
        ({"path": "zero", "exists": True}, True),
        ({"path": "one", "at_least": 1, "below": 2}, True),
        ({"path": "one", "above": 1}, False),
        ({"path": "one", "at_most": 0.5}, False),
        ({"path": "score[0]", "above": "score[1]"}, True),
        ({"path": "score[1]", "at_least": "score[0]"}, False),
        ({"path": "score[0]", "above": "gone"}, False),
        ({"path": "ok", "at_least": 0}, False),  # true is no number
        ({"not": "ok"}, False),
        ({"all": ["ok", {"path": "one", "equals": 1}]}, True),
        ({"any": ["off", {"not": "off"}]}, True),
        (["ok", "off"], False),
        (["ok", "one"], True),
    ],
)
def test_a_condition_holds_exactly_where_it_says(condition: Any, expected: bool) -> None:
    assert holds(condition) is expected


def test_no_condition_asks_nothing() -> None:
    assert compile_all(()) is None


@pytest.mark.parametrize(
    ("condition", "complaint"),
    [
        ({"path": "a"}, "needs a test"),
        ({"equals": 1}, "exactly one of"),
        ({"not": "a", "equals": 1}, "equals needs a path"),
        ({"path": "a", "not": "b", "equals": 1}, "exactly one of"),
        ({"path": "a", "matches": "("}, "not a regular expression"),
        ({"path": "a", "equal": 1}, "Extra inputs"),
        ({}, "it has none"),
    ],
)
def test_what_is_no_condition_is_refused(condition: Any, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        StreamRules.model_validate({"where": condition})
