"""Items of a conversation, pieces of one answer, parts, and a system prompt that stands apart."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.contracts.skips import LineFault, SkipReason
from pipeline.streams.compiled import compile_stream
from tests.pipeline.streams.sources import evidence, refusal, stream

USER = {"role": "user", "content": "Rain?"}
REASONING = {"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": "Look."}]}
HIDDEN = {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "gAAA"}
CALL = {
    "type": "function_call",
    "id": "fc_1",
    "call_id": "c1",
    "name": "weather",
    "arguments": '{"city": "Oslo"}',
}
OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "rain"}
TEXT = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Yes."}]}


def turns(*items: Any, **rule: Any) -> list[dict[str, Any]]:
    row = evidence({"items": list(items)}, messages={"path": "items", **rule})
    return [{name: value for name, value in turn.items() if value is not None} for turn in row["messages"]]


def test_what_was_thought_said_and_called_in_one_answer_is_one_turn() -> None:
    call = {"id": "c1", "name": "weather", "arguments": '{"city": "Oslo"}'}
    assert turns(USER, REASONING, CALL, OUTPUT, TEXT) == [
        {"role": "user", "content": "Rain?"},
        {"role": "assistant", "reasoning": "Look.", "tool_calls": [call]},
        {"role": "tool", "content": "rain", "tool_call_id": "c1"},
        {"role": "assistant", "content": "Yes."},
    ]
    assert turns(USER, REASONING, TEXT, CALL)[1:] == [
        {"role": "assistant", "reasoning": "Look.", "content": "Yes.", "tool_calls": [call]}
    ]


def test_calls_side_by_side_are_one_turn_and_their_results_follow() -> None:
    other = {**CALL, "call_id": "c2", "id": "fc_2"}
    found = turns(USER, CALL, other, OUTPUT, {**OUTPUT, "call_id": "c2"})
    assert [turn["role"] for turn in found] == ["user", "assistant", "tool", "tool"]
    assert [call["id"] for call in found[1]["tool_calls"]] == ["c1", "c2"]


def test_turns_that_are_no_items_stay_apart() -> None:
    said = {"role": "assistant", "content": "Yes."}
    assert len(turns(USER, said, said)) == 3
    assert len(turns(USER, said, TEXT)) == 3
    assert len(turns(USER, TEXT, USER, TEXT)) == 4


def test_turns_of_one_message_are_one() -> None:
    first = {"role": "assistant", "id": "m1", "content": [{"type": "thinking", "thinking": "Look."}]}
    second = {"role": "assistant", "id": "m1", "content": [{"type": "text", "text": "Yes."}]}
    assert turns(USER, first, second)[1:] == [{"role": "assistant", "reasoning": "Look.", "content": "Yes."}]
    assert len(turns(USER, first, {**second, "id": "m2"})) == 3
    assert len(turns(USER, first, USER, second)) == 4


def test_a_message_that_is_logged_with_each_of_its_calls_is_one_turn() -> None:
    calls = [{"id": name, "function": {"name": "ls", "arguments": "{}"}} for name in ("c1", "c2")]
    whole = {"role": "assistant", "id": "m1", "content": "Look.", "tool_calls": calls}
    results = [{"role": "tool", "tool_call_id": name, "content": name} for name in ("c1", "c2")]
    found = turns(USER, whole, results[0], whole, results[1])
    assert [turn["role"] for turn in found] == ["user", "assistant", "tool", "tool"]
    # Another call of the same message is no repetition, and neither is a message without an id.
    other = {**whole, "tool_calls": [{"id": "c3", "function": {"name": "ls", "arguments": "{}"}}]}
    assert len(turns(USER, whole, results[0], other)) == 4
    assert len(turns(USER, {**whole, "id": None}, results[0], {**whole, "id": None})) == 4


def test_pieces_without_a_text_add_nothing() -> None:
    pieces = [{"role": "assistant", "id": "m1", "content": text} for text in ("", "Yes.", "", "No.")]
    assert turns(USER, *pieces)[1:] == [{"role": "assistant", "content": "Yes.\nNo."}]


@pytest.mark.parametrize("items", [(HIDDEN, TEXT), (TEXT, HIDDEN), (HIDDEN,)])
def test_a_reasoning_that_is_hidden_is_flagged_and_makes_no_turn(items: Any) -> None:
    row = evidence({"items": [USER, *items]}, messages="items")
    assert "reasoning_missing" in row["flags"]
    assert all(turn["content"] for turn in row["messages"])


def test_other_calls_of_agents_are_calls() -> None:
    custom = {"type": "custom_tool_call", "call_id": "c1", "name": "apply_patch", "input": "*** Begin Patch"}
    shell = {"type": "local_shell_call", "call_id": "c2", "action": {"type": "exec", "command": ["ls"]}}
    found = turns(USER, custom, shell, {"type": "custom_tool_call_output", "call_id": "c1", "output": "ok"})
    assert [call["name"] for call in found[1]["tool_calls"]] == ["apply_patch", "local_shell"]
    assert found[1]["tool_calls"][0]["arguments"] == "*** Begin Patch"
    assert found[2] == {"role": "tool", "content": "ok", "tool_call_id": "c1"}


@pytest.mark.parametrize("item", [{"type": "web_search_call", "id": "w"}, {"type": 7}, {"content": "x"}])
def test_an_item_of_another_kind_skips_the_line(item: Any) -> None:
    fault = refusal({"items": [USER, item]}, messages="items")
    assert fault.reason == SkipReason.WRONG_TYPE
    assert fault.detail == "messages: a turn whose role is unknown (roles can name it)"


def test_parts_of_opentelemetry_are_read() -> None:
    said = [{"type": "text", "content": "Rain?"}]
    called = [
        {"type": "reasoning", "content": "Look."},
        {"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"city": "Oslo"}},
    ]
    for key, value, text in (
        ("response", "rain", "rain"),
        ("result", "rain", "rain"),
        ("response", {"sky": [1]}, '{"sky":[1]}'),
        ("response", [1, 2], "[1,2]"),
        ("response", [{"type": "text", "text": "rain"}], "rain"),
        ("response", 7, "7"),
    ):
        result = [{"type": "tool_call_response", "id": "c1", key: value}]
        found = turns(
            {"role": "user", "parts": said},
            {"role": "assistant", "parts": called, "finish_reason": "tool_call"},
            {"role": "tool", "parts": result},
        )
        assert found == [
            {"role": "user", "content": "Rain?"},
            {
                "role": "assistant",
                "reasoning": "Look.",
                "tool_calls": [{"id": "c1", "name": "weather", "arguments": '{"city":"Oslo"}'}],
            },
            {"role": "tool", "content": text, "tool_call_id": "c1"},
        ]


@pytest.mark.parametrize("kind", ["blob", "uri", "generic", "server_tool_call"])
def test_a_part_that_is_no_text_is_named(kind: str) -> None:
    fault = refusal({"items": [{"role": "user", "parts": [{"type": kind}]}]}, messages="items")
    assert fault.detail.endswith(f"not text: {kind}")


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Be brief.", ["Be brief."]),
        ([{"type": "text", "text": "Be"}, {"type": "text", "content": "brief."}], ["Be\nbrief."]),
        (None, []),
        ("", []),
        ([], []),
    ],
)
def test_a_system_prompt_that_stands_apart_is_the_first_turn(prompt: Any, expected: list[str]) -> None:
    row = evidence({"items": [USER], "system": prompt}, messages={"path": "items", "system": "system"})
    assert [turn["content"] for turn in row["messages"] if turn["role"] == "system"] == expected
    assert row["context"] == (expected[0] if expected else None)


def test_a_system_prompt_is_not_said_twice() -> None:
    line = {"items": [{"role": "system", "content": "Be brief."}, USER], "system": "Be brief."}
    row = evidence(line, messages={"path": "items", "system": "system"})
    assert [turn["role"] for turn in row["messages"]] == ["system", "user"]


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("1767225600000000000", "2026-01-01T00:00:00Z"),
        (1767225600000000000, "2026-01-01T00:00:00Z"),
        ("1767225600123456789", "2026-01-01T00:00:00.123456Z"),
        (0, "1970-01-01T00:00:00Z"),
    ],
)
def test_nanoseconds_may_be_a_text(value: Any, moment: str) -> None:
    assert evidence({"at": value}, timestamp={"path": "at", "time": "epoch_ns"})["timestamp"] == moment


@pytest.mark.parametrize("value", ["yesterday", "17672256000000000000000", "1.5", True, [1]])
def test_what_counts_no_nanoseconds_is_a_skip(value: Any) -> None:
    assert (
        refusal({"at": value}, timestamp={"path": "at", "time": "epoch_ns"}).reason == SkipReason.WRONG_TYPE
    )


def test_the_system_prompt_of_a_group_may_stand_in_any_line_of_it() -> None:
    """A rule that names the group is for the prompt alone: turns are still asked of each line."""
    rule = {"path": "[message]", "system": "_lines[?type == 'meta'].prompt | [0]"}
    declared = stream(fields={"task_id": "_group", "messages": rule}, unit="file")
    lines: list[dict[str, Any]] = [{"message": USER}, {"type": "meta", "prompt": "Be brief."}]
    lines.append({"message": {"role": "assistant", "content": "Yes."}})
    place = {"source_file": "a.jsonl", "first_line": 1, "last_line": 3, "byte_offset": 0, "byte_end": 9}
    rows = compile_stream(declared, {}).map_group(lines, key="a", sig_hash="0" * 64, ranges=[place])
    assert not isinstance(rows, LineFault)
    assert [turn["content"] for turn in rows[0]["messages"]] == ["Be brief.", "Rain?", "Yes."]


def test_the_parts_of_pydantic_ai_are_turns_by_their_kind() -> None:
    found = turns(
        {"part_kind": "system-prompt", "content": "Be brief."},
        {"part_kind": "user-prompt", "content": ["17", "25"]},
        {"part_kind": "thinking", "content": "Add.", "id": "t"},
        {"part_kind": "tool-call", "tool_name": "add", "args": '{"a": 17}', "tool_call_id": "c1", "id": None},
        {"part_kind": "retry-prompt", "tool_name": "add", "content": [{"msg": "b"}], "tool_call_id": "c1"},
        {"part_kind": "text", "content": "42."},
        {"part_kind": "retry-prompt", "tool_name": None, "content": "Try again."},
        {"part_kind": "retry-prompt", "tool_name": None, "content": [{"msg": "no"}]},
        {"part_kind": "text", "content": "43."},
    )
    assert found == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "17\n25"},
        {
            "role": "assistant",
            "reasoning": "Add.",
            "tool_calls": [{"id": "c1", "name": "add", "arguments": '{"a": 17}'}],
        },
        {"role": "tool", "content": '[{"msg":"b"}]', "tool_call_id": "c1", "name": "add"},
        {"role": "assistant", "content": "42."},
        {"role": "user", "content": "Try again."},
        {"role": "user", "content": '[{"msg":"no"}]'},
        {"role": "assistant", "content": "43."},
    ]


@pytest.mark.parametrize("kind", ["file", "builtin-tool-call", None, 7])
def test_a_part_of_an_unknown_kind_has_no_speaker(kind: Any) -> None:
    found = refusal({"items": [USER, {"part_kind": kind, "content": "x"}]}, messages="items")
    assert found.detail == "messages: a turn whose role is unknown (roles can name it)"


def test_the_weight_of_an_item_is_kept_and_of_one_answer_the_least_counts() -> None:
    found = turns(USER, {**CALL, "weight": 0}, OUTPUT, {**TEXT, "weight": 1})
    assert [turn.get("weight") for turn in found] == [None, 0.0, None, 1.0]
    for first, second in ((0, 1), (1, 0), (0, None), (None, 0)):
        merged = turns(USER, {**CALL, "weight": first}, {**TEXT, "weight": second})
        assert [turn.get("weight") for turn in merged] == [None, 0.0]
    assert refusal({"items": [USER, {**CALL, "weight": "no"}]}, messages="items").reason == "wrong_type"
