"""A call is read however a log spells it, or its line is skipped; never is it another call."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.contracts.skips import SkipReason
from pipeline.streams.tool_calls import is_unfinished
from tests.pipeline.streams.sources import evidence, refusal

OBJECT = {"city": "Bonn", "n": 9007199254740993}
TEXT = '{"city": "Bonn",  "n": 90071992547409930000000, "n": 1}'
WRITTEN = '{"city":"Bonn","n":9007199254740993}'


def calls_of(turn: dict[str, Any]) -> Any:
    return evidence({"turns": [{"role": "assistant", **turn}]}, messages="turns")["messages"][0]["tool_calls"]


def called(arguments: str, call_id: str | None = None) -> list[dict[str, Any]]:
    return [{"id": call_id, "name": "weather", "arguments": arguments}]


@pytest.mark.parametrize(
    "key", ["arguments", "args", "parameters", "input", "kwargs", "params", "tool_input"]
)
@pytest.mark.parametrize(("given", "kept"), [(OBJECT, WRITTEN), (TEXT, TEXT), ("ls -l", "ls -l")])
def test_every_spelling_of_the_arguments_in_every_place(key: str, given: Any, kept: str) -> None:
    call = {"name": "weather", key: given}
    assert calls_of({"tool_calls": [{"id": "c", "type": "function", "function": call}]}) == called(kept, "c")
    assert calls_of({"tool_calls": [{"id": "c", **call}], "content": None}) == called(kept, "c")
    assert calls_of({"function_call": call}) == called(kept)
    assert calls_of({"function_call": call, "tool_calls": []}) == called(kept)
    assert calls_of({"function_call": call, "tool_calls": None, "content": ""}) == called(kept)
    assert calls_of({"content": [{"type": "tool_use", "id": "c", **call}]}) == called(kept, "c")


@pytest.mark.parametrize("nothing", [{}, {"arguments": None}, {"arguments": ""}, {"input": {}}, {"index": 0}])
def test_a_call_without_arguments_has_none(nothing: dict[str, Any]) -> None:
    assert calls_of(
        {"tool_calls": [{"id": "c", "type": "function", "name": "weather", **nothing}]}
    ) == called("{}", "c")


def test_the_member_that_says_something_counts() -> None:
    call = {"name": "weather", "arguments": "", "input": {"a": 1}}
    assert calls_of({"tool_calls": [call]}) == called('{"a":1}')


def test_a_function_that_is_a_name_and_a_turn_that_is_a_call() -> None:
    assert calls_of({"tool_calls": [{"id": "c", "function": "weather", "arguments": {"a": 1}}]}) == called(
        '{"a":1}', "c"
    )
    for value in ('{"name": "weather", "arguments": {"a": 123456789012345678901}}',):
        turns = [{"from": "function_call", "value": value}]
        rule = {"path": "turns", "role": "from", "content": "value"}
        (turn,) = evidence({"turns": turns}, messages=rule)["messages"]
        assert (turn["role"], turn["content"]) == ("assistant", None)
        assert turn["tool_calls"] == called('{"a":123456789012345678901}')


def test_a_legacy_call_that_repeats_the_list_counts_once() -> None:
    call = {"name": "weather", "arguments": "{}"}
    assert calls_of({"tool_calls": [{"id": "c", "function": call}], "function_call": call}) == called(
        "{}", "c"
    )


@pytest.mark.parametrize(
    ("call", "detail"),
    [
        ({"name": "f", "payload": {"a": 1}}, "a tool call whose arguments cannot be read"),
        ({"function": {"name": "f", "argumentz": "{}"}}, "a tool call whose arguments cannot be read"),
        ({"name": "f", "arguments": 7}, "expected a tool call's arguments to be an object"),
        ({"name": "f", "arguments": [1]}, "expected a tool call's arguments to be an object"),
        ({"name": "f", "arguments": True}, "expected a tool call's arguments to be an object"),
        ({"name": "f", "arguments": {"a": 1}, "input": {"a": 2}}, "a tool call gives its arguments twice"),
        ({"arguments": "{}"}, "expected a tool call's name to be a text"),
        ("f()", "expected each tool call to be an object"),
        ({"function": 7}, "expected a tool call's function to be an object"),
    ],
)
def test_a_call_that_cannot_be_read_skips_its_line(call: Any, detail: str) -> None:
    fault = refusal({"turns": [{"role": "assistant", "tool_calls": [call]}]}, messages="turns")
    assert fault.reason == SkipReason.WRONG_TYPE
    assert fault.detail.startswith(f"messages: {detail}")


def test_a_legacy_call_beside_others_is_not_lost() -> None:
    turn = {
        "role": "assistant",
        "tool_calls": [{"name": "f", "arguments": "{}"}],
        "function_call": {"name": "g", "arguments": "{}"},
    }
    assert "function_call is not one of" in refusal({"turns": [turn]}, messages="turns").detail


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": "b', True),
        ('{"a": 1,', True),
        ('{"a": {"b": 2}', True),
        ("[1, 2", True),
        ('{"a": "}"', True),
        ('{"a": "\\"', True),
        ('{"a": 1}', False),
        ('{"a": "{"}', False),
        ("{a: 1}", False),
        ("ls -l", False),
        ("", False),
    ],
)
def test_what_breaks_off_is_told_from_what_is_no_json(text: str, expected: bool) -> None:
    assert is_unfinished(text) is expected
