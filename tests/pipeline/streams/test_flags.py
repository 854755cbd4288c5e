"""What a row's flags say of it, on both sides of each boundary."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.streams.compiled import compile_stream
from tests.pipeline.streams.sources import evidence, mapped, stream

USER = {"role": "user", "content": "Hi"}
SYSTEM = {"role": "system", "content": "Be brief."}
ANSWER = {"role": "assistant", "content": "Hello."}
CALL = {"role": "assistant", "tool_calls": [{"id": "c", "name": "f", "arguments": "{}"}]}


def flags(*turns: dict[str, Any], line: dict[str, Any] | None = None, **fields: Any) -> list[str]:
    row = evidence({"turns": list(turns), **(line or {})}, messages="turns", **fields)
    found: list[str] = row["flags"]
    return found


def test_a_system_prompt_is_recorded_as_a_turn_or_as_a_context() -> None:
    assert flags(USER, ANSWER) == ["system_not_recorded"]
    assert flags(SYSTEM, USER, ANSWER) == []
    assert flags(USER, ANSWER, line={"c": "policy"}, context="c") == []
    assert evidence({"a": "x"}, response="a")["flags"] == []


def test_tools_are_asked_for_where_tools_are_called() -> None:
    assert flags(SYSTEM, USER, CALL) == ["tools_not_recorded"]
    assert flags(SYSTEM, USER, CALL, line={"tools": [{"name": "f"}]}, tools="tools") == []
    assert flags(SYSTEM, USER, CALL, line={"tools": []}, tools="tools") == []
    assert flags(SYSTEM, USER, ANSWER, tools="tools") == []


def test_a_reasoning_that_is_hidden_is_missing() -> None:
    hidden = {
        "role": "assistant",
        "content": [{"type": "redacted_thinking", "data": "x"}, {"type": "text", "text": "a"}],
    }
    assert flags(SYSTEM, hidden) == ["reasoning_missing"]
    assert flags(SYSTEM, {**ANSWER, "reasoning_details": [{"type": "reasoning.encrypted"}]}) == [
        "reasoning_missing"
    ]
    assert flags(SYSTEM, {**ANSWER, "reasoning_details": [{}], "reasoning": "r"}) == []
    assert flags(SYSTEM, {**ANSWER, "reasoning": "", "reasoning_details": []}) == []


@pytest.mark.parametrize(
    "word", ["length", "content_filter", "max_tokens", "MAX_TOKENS", "max_output_tokens", "SAFETY"]
)
def test_an_answer_that_was_cut_off(word: str) -> None:
    line = {"end": word}
    assert flags(SYSTEM, ANSWER, line=line, finish_reason="end") == ["truncated"]
    assert flags(SYSTEM, {**ANSWER, "finish_reason": word}) == ["truncated"]
    assert evidence({"a": "x", **line}, response="a", finish_reason="end")["flags"] == ["truncated"]


@pytest.mark.parametrize("word", ["stop", "tool_calls", "end_turn", "STOP", "stop_sequence", None])
def test_an_answer_that_came_to_its_end(word: str | None) -> None:
    assert flags(SYSTEM, ANSWER, line={"end": word}, finish_reason="end") == []
    assert flags(SYSTEM, {**ANSWER, "stop_reason": "max_tokens"}, {**ANSWER, "stop_reason": word}) == []


def test_a_last_call_that_breaks_off() -> None:
    cut = {"role": "assistant", "tool_calls": [{"id": "c", "name": "f", "arguments": '{"a": "b'}]}
    tools: dict[str, Any] = {"line": {"tools": [{"name": "f"}]}, "tools": "tools"}
    assert flags(SYSTEM, cut, **tools) == ["truncated"]
    assert flags(SYSTEM, cut, USER, **tools) == ["truncated"]
    assert flags(SYSTEM, cut, ANSWER, **tools) == []
    assert flags(SYSTEM, CALL, **tools) == []


@pytest.mark.parametrize("value", [True, "Traceback", {"type": "TimeoutError"}, 1])
def test_a_failure_of_the_environment(value: Any) -> None:
    assert flags(SYSTEM, ANSWER, line={"error": value}, environment_error="error") == ["environment_error"]


@pytest.mark.parametrize("value", [False, "", {}, [], None, 0])
def test_no_failure_of_the_environment(value: Any) -> None:
    assert flags(SYSTEM, ANSWER, line={"error": value}, environment_error="error") == []


def test_every_answer_to_one_request_is_an_attempt_that_keeps_its_end() -> None:
    compiled = compile_stream(stream(preset="openai_chat"), {})
    request = {
        "id": "r",
        "messages": [SYSTEM, USER],
        "tools": [{"type": "function", "function": {"name": "f"}}],
    }
    choices = [{"message": ANSWER, "finish_reason": "stop"}, {"message": CALL, "finish_reason": "length"}]
    for line in ({**request, "choices": choices}, {**request, "response": {"choices": choices}}):
        first, second = mapped(compiled, line)
        assert (first["response"], first["finish_reason"], first["flags"]) == ("Hello.", "stop", [])
        assert (second["messages"][2]["tool_calls"][0]["name"], second["flags"]) == ("f", ["truncated"])
        assert [row["provenance"]["part"] for row in (first, second)] == [0, 1]
    (only,) = mapped(compiled, {**request, "messages": [SYSTEM, USER, ANSWER]})
    assert (only["response"], only["provenance"]["part"]) == ("Hello.", 0)


def test_signs_of_a_reward_hack_stand_behind_what_the_log_cannot_say() -> None:
    edit = {"path": "tests/test_a.py", "old_str": "assert f() == 2", "new_str": "f()"}
    call = {"id": "c", "name": "edit", "arguments": json.dumps(edit)}
    turns = (USER, {"role": "assistant", "tool_calls": [call]}, {**ANSWER, "content": "sys.exit(0)"})
    assert flags(*turns) == [
        "system_not_recorded",
        "tools_not_recorded",
        "tests_edited",
        "assertions_deleted",
        "exits_early",
    ]
    # What users and tools say is not the agent's.
    told = {"role": "tool", "tool_call_id": "c", "content": "sys.exit(0)"}
    assert flags(SYSTEM, {**USER, "content": "sys.exit(0)"}, ANSWER, told) == ["tools_not_recorded"]
    assert evidence({"a": "os._exit(0)"}, response="a")["flags"] == ["exits_early"]
    assert evidence({"a": "x"}, response="a")["flags"] == []
