"""Each format by a flat row and by a conversation."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.formats.rows import FORMATS
from pipeline.stages.export_preference import preference_row
from pipeline.stages.export_sft import sft_row
from pipeline.stages.refusals import QuarantineReason, Refusal
from tests.pipeline.stages.builders import OPTIONS, conversation, evidence, scored, turn


def sft(row: dict[str, Any]) -> dict[str, Any]:
    made = sft_row(row, scored(row, "accepted"), OPTIONS)
    assert not isinstance(made, Refusal)
    return made


def preference(good: dict[str, Any], bad: dict[str, Any]) -> dict[str, Any]:
    made = preference_row(good, scored(good, "accepted"), bad, scored(bad, "rejected"), OPTIONS)
    assert not isinstance(made, Refusal)
    return made


FLAT = sft(evidence(context="FILE holds text."))
CHAT = sft(conversation())
FLAT_PAIR = preference(evidence(1), evidence(2, response="cat FILE"))
CHAT_PAIR = preference(
    conversation(1, turn("user", "Book."), turn("assistant", None, ("book", '{"seat":"4A"}'))),
    conversation(2, turn("user", "Book."), turn("assistant", "No.")),
)

FLAT_MESSAGES = [
    {"role": "system", "content": "FILE holds text."},
    {"role": "user", "content": "Count the lines of a file."},
    {"role": "assistant", "content": "wc -l FILE"},
]
CALL = {
    "id": "call-0",
    "type": "function",
    "function": {"name": "book", "arguments": '{"seat": "4A", "meal": null}'},
}
CHAT_MESSAGES = [
    {"role": "system", "content": "You are a clerk."},
    {"role": "user", "content": "Book a seat."},
    {"role": "assistant", "content": "", "tool_calls": [CALL]},
    {"role": "tool", "content": "booked", "tool_call_id": "call-0", "name": "book"},
    {"role": "assistant", "content": "Seat 4A is yours."},
]


def made(converted: list[dict[str, Any]] | Refusal) -> list[dict[str, Any]]:
    assert not isinstance(converted, Refusal), converted
    return converted


def convert(name: str, row: dict[str, Any]) -> list[dict[str, Any]] | Refusal:
    return FORMATS[name].convert(row)


def origin(row: dict[str, Any]) -> dict[str, Any]:
    return {"id": row["id"], "split": row["split"]}


def with_objects(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The arguments of the one call as templates print them."""
    function = {"name": "book", "arguments": {"seat": "4A", "meal": None}}
    calls = [{**CALL, "function": function}]
    return [{**each, "tool_calls": calls} if "tool_calls" in each else each for each in messages]


@pytest.mark.parametrize(("row", "messages"), [(FLAT, FLAT_MESSAGES), (CHAT, CHAT_MESSAGES)])
def test_conversations_of_both_shapes(row: dict[str, Any], messages: list[dict[str, Any]]) -> None:
    assert convert("chat-jsonl", row) == [{"messages": messages}]
    assert convert("trl-conversational", row) == [
        {"messages": with_objects(messages), "tools": None, **origin(row)}
    ]


TOOLS = [{"type": "function", "function": {"name": "book", "parameters": {"type": "object"}}}]


def test_tools_stand_beside_the_messages() -> None:
    row = sft(conversation(tools=json.dumps(TOOLS)))
    (chat,) = made(convert("chat-jsonl", row))
    (trl,) = made(convert("trl-conversational", row))
    assert chat["tools"] == json.loads(trl["tools"]) == TOOLS


@pytest.mark.parametrize(
    ("arguments", "object_"),
    [
        ('{"a":{"b":[1,null]}}', {"a": {"b": [1, None]}}),
        ("", {}),
        (" ", {}),
        ('{"n":9007199254740993}', None),
    ],
)
def test_arguments_that_are_an_object_are_written_as_one(arguments: str, object_: Any) -> None:
    row = sft(conversation(1, turn("user", "Go."), turn("assistant", "", ("f", arguments))))
    (trl,) = made(convert("trl-conversational", row))
    written = trl["messages"][1]["tool_calls"][0]["function"]["arguments"]
    assert written == (json.loads(arguments) if object_ is None else object_)


@pytest.mark.parametrize(
    "arguments",
    [
        "[1]",
        '"text"',
        "7",
        "null",
        "ls -l",
        '{"a":1,"a":2}',
        '{"a":1e999}',
        '{"a":NaN}',
        '{"a":9223372036854775808}',
    ],
)
def test_arguments_that_no_object_can_hold_refuse_the_row(arguments: str) -> None:
    row = sft(conversation(1, turn("user", "Go."), turn("assistant", "", ("f", arguments))))
    assert convert("trl-conversational", row) == Refusal(QuarantineReason.ARGUMENTS_NOT_OBJECT)
    (chat,) = made(convert("chat-jsonl", row))
    assert chat["messages"][1]["tool_calls"][0]["function"]["arguments"] == arguments


def test_an_assistants_turn_that_says_nothing_is_left_out() -> None:
    turns = (turn("user", "Hm?"), turn("assistant", None), turn("user", "Well?"), turn("assistant", "Yes."))
    (row,) = made(convert("chat-jsonl", sft(conversation(1, *turns))))
    assert [each["content"] for each in row["messages"]] == ["Hm?", "Well?", "Yes."]


def test_prompt_and_completion_hold_flat_rows_only() -> None:
    assert convert("trl-prompt-completion", FLAT) == [
        {
            "prompt": "FILE holds text.\n\nCount the lines of a file.",
            "completion": "wc -l FILE",
            **origin(FLAT),
        }
    ]
    assert convert("trl-prompt-completion", CHAT) == Refusal(QuarantineReason.NEEDS_MESSAGES)


def test_a_preference_is_messages_on_both_sides() -> None:
    asked = [{"role": "user", "content": "Count the lines of a file."}]
    assert convert("trl-preference", FLAT_PAIR) == [
        {
            "prompt": asked,
            "chosen": [{"role": "assistant", "content": "wc -l FILE"}],
            "rejected": [{"role": "assistant", "content": "cat FILE"}],
            "tools": None,
            **origin(FLAT_PAIR),
        }
    ]
    call = {"id": "call-0", "type": "function", "function": {"name": "book", "arguments": {"seat": "4A"}}}
    assert convert("trl-preference", CHAT_PAIR) == [
        {
            "prompt": [{"role": "user", "content": "Book."}],
            "chosen": [{"role": "assistant", "content": "", "tool_calls": [call]}],
            "rejected": [{"role": "assistant", "content": "No."}],
            "tools": None,
            **origin(CHAT_PAIR),
        }
    ]


def test_a_plain_preference_holds_flat_pairs_only() -> None:
    assert convert("trl-preference-plain", FLAT_PAIR) == [
        {
            "prompt": "Count the lines of a file.",
            "chosen": "wc -l FILE",
            "rejected": "cat FILE",
            **origin(FLAT_PAIR),
        }
    ]
    assert convert("trl-preference-plain", CHAT_PAIR) == Refusal(QuarantineReason.NEEDS_MESSAGES)


def test_an_unpaired_preference_is_one_labelled_row_a_side() -> None:
    rows = convert("trl-unpaired", FLAT_PAIR)
    assert isinstance(rows, list)
    assert [(row["completion"][0]["content"], row["label"]) for row in rows] == [
        ("wc -l FILE", True),
        ("cat FILE", False),
    ]
    assert rows[0]["prompt"] == rows[1]["prompt"]


def test_formats_are_listed_by_their_names() -> None:
    assert all(name == entry.name for name, entry in FORMATS.items())
    assert {entry.export for entry in FORMATS.values()} == {"sft", "preference"}
