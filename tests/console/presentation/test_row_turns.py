"""An exported row of version 2 is read as a conversation; what is none of these is laid out as it stands."""

from __future__ import annotations

import json
from typing import Any

import pytest

from console.presentation.row_page import row_lines
from console.presentation.spans import cell_width, plain_text

EMPTY = {"content": "", "tool_calls": "", "tool_call_id": "", "name": "", "reasoning": "", "weight": 1.0}


def turn(role: str, content: str = "", **members: Any) -> dict[str, Any]:
    return {"role": role, **EMPTY, "content": content, **members}


def call(arguments: str, name: str = "look", call_id: str = "c1") -> str:
    return json.dumps([{"id": call_id, "name": name, "arguments": arguments}])


def shown(row: dict[str, Any], width: int = 80, *, unfolded: bool = False) -> list[str]:
    lines = [plain_text(spans) for spans in row_lines(json.dumps(row).encode(), width, unfolded=unfolded)]
    assert max(map(cell_width, lines)) <= width
    return [text.rstrip() for text in lines if text.strip()]


def test_a_turn_shows_what_it_holds_and_nothing_that_it_does_not() -> None:
    asking = turn("assistant", reasoning="Look first.", tool_calls=call('{"node": 3, "deep": {"all": true}}'))
    result = turn("tool", "up", tool_call_id="c1", name="look")
    guess = turn("assistant", "It is up.", weight=0.0)
    assert shown(
        {"messages": [turn("user", "How is node 3?"), asking, result, guess, turn("assistant")]}
    ) == [
        " messages  5 turns",
        "   1  user       How is node 3?",
        "   2  assistant  thought  Look first.",
        "                 calls    look  c1",
        "                          node  3",
        "                          deep  1 member",
        "                            all  true",
        "   3  tool       look · c1",
        "                 up",
        "   4  assistant  weight 0.0",
        "                 It is up.",
        "   5  assistant  (empty)",
    ]


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        ("", []),
        ("{}", []),
        ("ls  -la", ["ls  -la"]),
        ('{"a": 1, "a": 2}', ['{"a": 1, "a": 2}']),
        ('{"a": 1e2}', ["a  1e2"]),
        ('{"a": 9007199254740993}', ["a  9007199254740993"]),
        ('["a"]', ['["a"]']),
        ('{"a":', ['{"a":']),
    ],
)
def test_arguments_are_shown_as_they_were_written(arguments: str, lines: list[str]) -> None:
    text = shown({"messages": [turn("assistant", tool_calls=call(arguments))]})
    assert [each.strip() for each in text[2:]] == lines


@pytest.mark.parametrize("calls", ["[]", "look(3)", '{"id": "c1"}', '[{"name": "look"}]', "[" * 9_999])
def test_calls_that_are_none_are_a_text(calls: str) -> None:
    assert shown({"messages": [turn("assistant", tool_calls=calls)]})[1].startswith(
        f"   1  assistant  ? calls  {calls[:20]}"
    )


def test_tools_are_told_by_name_and_unfolded_whole() -> None:
    function = {
        "name": "look",
        "description": "State",
        "parameters": {"properties": {"node": {}, "deep": {}}},
    }
    row = {"tools": json.dumps([{"type": "function", "function": function}, {"name": "stop"}])}
    assert shown(row) == [" tools  2 offered", "   1  look  node, deep", "   2  stop"]
    assert "description  State" in " ".join(shown(row, unfolded=True))
    assert shown({"tools": ""}) == [" tools"]
    assert shown({"tools": "[1]"}) == [" tools  [1]"]
    assert shown({"tools": '[{"name": "a"}, {}]'}) == [' tools  [{"name": "a"}, {}]']


def test_a_text_that_stands_in_a_turn_is_said_so_and_any_other_is_shown() -> None:
    turns = [
        turn("system", "Be brief."),
        turn("user", "Hi"),
        turn("assistant", "Yes"),
        turn("assistant", "Yes"),
    ]
    row = {"instruction": "Hi", "context": "Be brief.", "response": "Yes", "messages": turns}
    assert shown(row)[:3] == [" instruction  as turn 2", " context      as turn 1", " response     as turn 4"]
    assert shown({**row, "response": "Hi"})[2] == " response     Hi"
    assert shown({**row, "context": ""})[1] == " context"


def test_both_sides_of_a_pair_are_turns() -> None:
    text = shown({name: [turn("user", "Hi")] for name in ("prompt", "chosen", "rejected")})
    assert text.count("   1  user       Hi") == 3


def test_rows_of_version_1_and_of_evidence_are_laid_out_as_they_stand() -> None:
    old = {"role": "assistant", "content": None, "tool_calls": [{"id": "c1", "name": "look"}]}
    assert shown({"messages": [old]})[:5] == [
        " messages  1 item",
        "     1  3 members",
        "     role        assistant",
        "     content     null",
        "     tool_calls  1 item",
    ]
    assert shown({"prompt": "Hi"}) == [" prompt  Hi"]
    assert shown({"messages": []}) == [" messages  []"]


def test_hostile_turns_are_shown_and_not_obeyed() -> None:
    evil = "\x1b[2J\u202eevil"
    row = {
        "messages": [
            turn(
                evil,
                evil,
                reasoning=evil,
                name=evil,
                tool_calls=call(json.dumps({evil: evil}), evil),
                more=evil,
            )
        ],
        "tools": json.dumps([{"name": evil, "parameters": {"properties": {evil: 1}}}]),
    }
    for unfolded in (False, True):
        text = "".join(shown(row, unfolded=unfolded))
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert text.count("evil") >= 8
        assert "more" in text


def test_a_conversation_without_end_is_cut() -> None:
    lines = shown({"messages": [turn("user", "Hi")] * 9_000})
    assert "cut here" in lines[-1]
