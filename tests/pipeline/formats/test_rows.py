"""Each format by a flat row and by a conversation."""

from __future__ import annotations

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
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "content": "booked", "tool_call_id": "call-0", "name": "book"},
    {"role": "assistant", "content": "Seat 4A is yours."},
]


def convert(name: str, row: dict[str, Any]) -> list[dict[str, Any]] | Refusal:
    return FORMATS[name].convert(row)


def origin(row: dict[str, Any]) -> dict[str, Any]:
    return {"id": row["id"], "split": row["split"]}


@pytest.mark.parametrize(("row", "messages"), [(FLAT, FLAT_MESSAGES), (CHAT, CHAT_MESSAGES)])
def test_conversations_of_both_shapes(row: dict[str, Any], messages: list[dict[str, Any]]) -> None:
    assert convert("chat-jsonl", row) == [{"messages": messages}]
    assert convert("trl-conversational", row) == [{"messages": messages, **origin(row)}]


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
            **origin(FLAT_PAIR),
        }
    ]
    call = {"id": "call-0", "type": "function", "function": {"name": "book", "arguments": '{"seat":"4A"}'}}
    assert convert("trl-preference", CHAT_PAIR) == [
        {
            "prompt": [{"role": "user", "content": "Book."}],
            "chosen": [{"role": "assistant", "content": None, "tool_calls": [call]}],
            "rejected": [{"role": "assistant", "content": "No."}],
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
