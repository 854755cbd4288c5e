"""A row that a format would lose something of is refused with its reason; one step away it is taken."""

from __future__ import annotations

import pytest

from pipeline.formats.format import Row
from tests.pipeline.formats.lines import (
    ANSWER,
    ASKED,
    CALL,
    RESULT,
    chat,
    chat_pair,
    flat,
    flat_pair,
    labelled,
    reason,
    with_tools,
)
from tests.pipeline.stages.builders import turn

SYSTEM = turn("system", "Be brief.")
THOUGHT = turn("assistant", "Yes.", reasoning="Look it up.")
HALF = turn("assistant", "Yes.", weight=0.5)
SILENT = turn("assistant", "Yes.", weight=0)
BOTH = turn("assistant", "Let me see.", ("w", "{}"))
NO = turn("assistant", "No.")


def unreadable(arguments: str) -> Row:
    return chat(ASKED, turn("assistant", None, ("w", arguments)), RESULT, ANSWER)


REFUSED: list[tuple[str, Row, str | None]] = [
    ("trl-conversational", with_tools(), None),
    ("trl-conversational", unreadable("[1]"), "arguments_not_object"),
    ("trl-conversational", unreadable('{"a":1,"a":2}'), "arguments_not_object"),
    ("trl-conversational", unreadable(r'{"a":"\ud800"}'), "arguments_not_object"),
    ("trl-conversational", unreadable(""), None),
    ("trl-conversational-text", unreadable("[1]"), None),
    ("trl-conversational", chat(ASKED, HALF, ASKED, ANSWER), None),
    ("trl-prompt-completion", flat(), None),
    ("trl-prompt-completion", chat(ASKED, ANSWER), "needs_messages"),
    ("trl-preference-plain", flat_pair(), None),
    ("trl-preference-plain", chat_pair([ANSWER], [NO]), "needs_messages"),
    ("trl-preference-plain", {**flat_pair(), "tools": "[{}]"}, "needs_messages"),
    ("trl-preference", chat_pair([ANSWER], [SILENT]), "weight_unsupported"),
    ("trl-preference", chat_pair([ANSWER], [NO], ASKED, SILENT, ASKED), None),
    ("trl-preference", chat_pair([CALL], [NO]), None),
    ("trl-preference", chat_pair([turn("assistant", None, ("w", "x"))], [NO]), "arguments_not_object"),
    ("trl-unpaired", labelled(True, ASKED), None),
    ("trl-unpaired", labelled(True, ASKED, answer=HALF), "weight_unsupported"),
    ("chat-jsonl", chat(ASKED, SILENT, ASKED, ANSWER), None),
    ("chat-jsonl", chat(ASKED, HALF), "weight_unsupported"),
    ("axolotl", chat(ASKED, SILENT, ASKED, ANSWER), None),
    ("axolotl", chat(ASKED, HALF), "weight_unsupported"),
    ("axolotl", unreadable("[1]"), "arguments_not_object"),
    ("axolotl", chat(ASKED, BOTH, RESULT, ANSWER), None),
    ("axolotl-preference", flat_pair(), None),
    ("axolotl-preference", chat_pair([CALL], [NO]), "call_unsupported"),
    ("axolotl-preference", chat_pair([THOUGHT], [NO]), "reasoning_unsupported"),
    ("axolotl-preference", chat_pair([ANSWER, NO], [NO]), "needs_one_turn"),
    ("axolotl-preference", {**flat_pair(), "tools": "[{}]"}, "call_unsupported"),
    ("openai-preference", chat_pair([ANSWER], [NO]), None),
    ("openai-preference", chat_pair([CALL], [NO]), "call_unsupported"),
    ("openai-preference", chat_pair([ANSWER], [CALL, RESULT, NO]), "needs_one_turn"),
    ("llama-factory", chat(SYSTEM, ASKED, CALL, RESULT, ANSWER), None),
    ("llama-factory", chat(ASKED, BOTH, RESULT, ANSWER), "text_beside_call"),
    ("llama-factory", chat(ASKED, THOUGHT), "reasoning_unsupported"),
    ("llama-factory", chat(ASKED, SILENT, ASKED, ANSWER), "weight_unsupported"),
    ("llama-factory", chat(ASKED, ASKED, ANSWER), "turns_not_alternating"),
    ("llama-factory", chat(ASKED, ANSWER, NO), "turns_not_alternating"),
    ("llama-factory", chat(NO, ASKED, ANSWER), "turns_not_alternating"),
    ("llama-factory", chat(ASKED, NO, SYSTEM, ASKED, ANSWER), "turns_not_alternating"),
    ("llama-factory", unreadable("[1]"), "arguments_not_object"),
    ("llama-factory", unreadable(r'{"\udc00":1}'), "arguments_not_object"),
    ("llama-factory-alpaca", flat(), None),
    ("llama-factory-alpaca", chat(ASKED, ANSWER), "needs_messages"),
    ("llama-factory-ranking", chat_pair([CALL], [NO]), None),
    ("llama-factory-ranking", chat_pair([ANSWER, ASKED, NO], [NO]), "needs_one_turn"),
    ("llama-factory-ranking", chat_pair([ANSWER], [NO], ASKED, CALL, ASKED), None),
    ("llama-factory-ranking", chat_pair([ANSWER], [NO], ASKED, ASKED), "turns_not_alternating"),
    ("llama-factory-ranking", chat_pair([BOTH], [NO]), "text_beside_call"),
    ("llama-factory-kto", labelled(False, ASKED), None),
    ("llama-factory-kto", labelled(False, ASKED, answer=BOTH), "text_beside_call"),
    ("llama-factory-kto", labelled(False, ASKED, NO), "turns_not_alternating"),
    ("llama-factory-kto", labelled(False, ASKED, SILENT, ASKED), None),
]


@pytest.mark.parametrize(("name", "row", "expected"), REFUSED)
def test_what_a_format_cannot_hold_is_refused(name: str, row: Row, expected: str | None) -> None:
    assert reason(name, row) == expected
