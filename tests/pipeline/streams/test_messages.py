"""Conversations of any common shape become the messages of evidence, and lose nothing."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.contracts.skips import SkipReason
from tests.pipeline.streams.sources import evidence, refusal


def message(role: str, content: str | None, **more: Any) -> dict[str, Any]:
    return {
        "role": role,
        "content": content,
        "tool_calls": None,
        "tool_call_id": None,
        "name": None,
        "reasoning": None,
        "weight": None,
        **more,
    }


def test_tool_calls_keep_their_arguments_as_text_whatever_they_were() -> None:
    turns = [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1,  "b":2}'}},
                {"id": "c2", "function": {"name": "g", "arguments": {"a": [1]}}},
                {"name": "h", "args": None},
                {"id": "c4", "name": "broken", "arguments": '{"cut'},
            ],
        },
        {"role": "tool", "content": "1", "tool_call_id": "c1", "name": "f"},
    ]
    assert evidence({"turns": turns}, messages="turns")["messages"] == [
        message(
            "assistant",
            None,
            tool_calls=[
                {"id": "c1", "name": "f", "arguments": '{"a": 1,  "b":2}'},
                {"id": "c2", "name": "g", "arguments": '{"a":[1]}'},
                {"id": None, "name": "h", "arguments": "{}"},
                {"id": "c4", "name": "broken", "arguments": '{"cut'},
            ],
        ),
        message("tool", "1", tool_call_id="c1", name="f"),
    ]


def test_a_function_call_of_the_old_api_is_a_tool_call() -> None:
    turns = [{"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}}]
    found = evidence({"turns": turns}, messages="turns")["messages"]
    assert found[0]["tool_calls"] == [{"id": None, "name": "f", "arguments": "{}"}]


def test_content_parts_are_joined() -> None:
    turns = [{"role": "user", "content": [{"type": "text", "text": "a"}, "b"]}]
    assert evidence({"turns": turns}, messages="turns")["messages"] == [message("user", "a\nb")]


def test_other_words_for_speakers_and_keys_can_be_named() -> None:
    rule = {"path": "conversations", "role": "from", "content": "value", "roles": {"bing": "assistant"}}
    turns = [
        {"from": "human", "value": "hi"},
        {"from": "bing", "value": "hello"},
        {"from": "gpt", "value": "?"},
    ]
    assert evidence({"conversations": turns}, messages=rule)["messages"] == [
        message("user", "hi"),
        message("assistant", "hello"),
        message("assistant", "?"),
    ]


def test_a_response_logged_beside_its_request_is_appended() -> None:
    line = {
        "request": {"messages": [{"role": "user", "content": "hi"}]},
        "response": {"choices": [{"message": {"role": "assistant", "content": "hello", "refusal": None}}]},
    }
    rule = {"path": ["messages", "request.messages"], "append": "response.choices[0].message"}
    assert evidence(line, messages=rule)["messages"] == [message("user", "hi"), message("assistant", "hello")]


CHAT = [
    {"role": "system", "content": "policy"},
    {"role": "user", "content": "first"},
    {"role": "assistant", "content": "answer"},
    {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "name": "f", "arguments": "{}"}]},
    {"role": "user", "content": "###STOP###"},
]


def test_the_conversation_gives_instruction_context_and_response() -> None:
    row = evidence({"chat": CHAT}, messages="chat")
    assert (row["instruction"], row["context"], row["response"]) == ("first", "policy", "answer")


def test_a_rule_of_its_own_beats_the_conversation_even_where_it_finds_nothing() -> None:
    row = evidence({"chat": CHAT, "task": "do it"}, messages="chat", instruction="task", response="gone")
    assert (row["instruction"], row["context"], row["response"]) == ("do it", "policy", None)


def test_without_a_word_of_the_assistant_the_response_was_not_recorded() -> None:
    assert evidence({"chat": CHAT[:2]}, messages="chat")["response"] is None
    assert evidence({"chat": []}, messages="chat")["messages"] == []
    assert evidence({}, messages="chat")["messages"] is None


@pytest.mark.parametrize(
    ("turns", "detail"),
    [
        ("text", "messages: expected a list of turns"),
        (["text"], "messages: expected each turn to be an object"),
        ([{"role": "narrator", "content": "x"}], "messages: a turn whose role is unknown"),
        ([{"content": "x"}], "messages: a turn whose role is unknown"),
        ([{"role": "user", "content": 7}], "messages: expected a turn's content"),
        ([{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}], "messages: a turn holds a"),
        (
            [{"role": "assistant", "content": "", "tool_calls": {}}],
            "messages: expected tool_calls to be a list",
        ),
        (
            [{"role": "assistant", "content": "", "tool_calls": [{"id": "1"}]}],
            "messages: expected a tool call's",
        ),
        (
            [{"role": "tool", "content": "", "tool_call_id": 7}],
            "messages: expected tool_call_id to be a text",
        ),
    ],
)
def test_a_conversation_that_would_lose_something_is_skipped(turns: Any, detail: str) -> None:
    fault = refusal({"turns": turns}, messages="turns")
    assert fault.reason == SkipReason.WRONG_TYPE
    assert fault.detail.startswith(detail)


def test_what_a_tools_failure_says_is_its_text_where_it_has_none() -> None:
    def of(turn: dict[str, Any]) -> Any:
        turns = [{"role": "assistant", "content": "I look."}, {"role": "tool", **turn}]
        return evidence({"turns": turns}, messages="turns")["messages"][1]["content"]

    assert of({"content": None, "error": "no such file"}) == "no such file"
    assert of({"error": {"code": 2, "message": "no such file"}}) == "no such file"
    assert of({"content": [], "error": "no such file"}) == "no such file"
    # What the tool said stands, and a flag is no text.
    assert of({"content": "half of it", "error": "no such file"}) == "half of it"
    assert of({"content": None, "error": True}) is None
    # Of other turns an error is no part of what was said.
    turns = [{"role": "assistant", "content": None, "error": "overloaded"}]
    assert evidence({"turns": turns}, messages="turns")["messages"][0]["content"] is None
