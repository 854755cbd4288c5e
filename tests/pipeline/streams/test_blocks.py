"""Contents that are lists of parts: texts, calls, results, thoughts; anything else is named."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pipeline.streams.sources import evidence, refusal
from tests.pipeline.streams.test_messages import message


def messages_of(*turns: dict[str, Any], **rule: Any) -> Any:
    return evidence({"turns": list(turns)}, messages={"path": "turns", **rule})["messages"]


def test_anthropics_parts_become_calls_and_turns_of_the_tool() -> None:
    found = messages_of(
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Two cities.", "signature": "s"},
                {"type": "text", "text": "Let me look."},
                {"type": "tool_use", "id": "a", "name": "weather", "input": {"city": "Bonn"}},
                {"type": "tool_use", "id": "b", "name": "weather", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text", "text": "sunny"}]},
                {"type": "tool_result", "tool_use_id": "b", "content": "rain", "is_error": False},
                {"type": "text", "text": "And now?"},
            ],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c"}]},
    )
    assert found == [
        message(
            "assistant",
            "Let me look.",
            tool_calls=[
                {"id": "a", "name": "weather", "arguments": '{"city":"Bonn"}'},
                {"id": "b", "name": "weather", "arguments": "{}"},
            ],
            reasoning="Two cities.",
        ),
        message("tool", "sunny", tool_call_id="a"),
        message("tool", "rain", tool_call_id="b"),
        message("user", "And now?"),
        message("tool", None, tool_call_id="c"),
    ]


@pytest.mark.parametrize("kind", ["image_url", "input_audio", "image", "document", "refusal"])
def test_a_part_of_another_kind_is_named(kind: str) -> None:
    turn = {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": kind, kind: {}}]}
    assert refusal({"turns": [turn]}, messages="turns").detail.endswith(f"that is not text: {kind}")


def test_a_word_of_the_log_is_not_quoted() -> None:
    for kind in ("<script>", 7):
        turn = {"role": "user", "content": [{"type": kind}]}
        assert refusal({"turns": [turn]}, messages="turns").detail.endswith(
            "that is not text: of an unknown kind"
        )


def test_an_image_in_a_result_is_named_too() -> None:
    result = {"type": "tool_result", "tool_use_id": "a", "content": [{"type": "image", "source": {}}]}
    assert (
        "not text: image"
        in refusal({"turns": [{"role": "user", "content": [result]}]}, messages="turns").detail
    )


@pytest.mark.parametrize("member", ["reasoning_content", "reasoning", "thinking"])
def test_a_reasoning_is_kept_unless_the_rule_leaves_it_out(member: str) -> None:
    turn = {"role": "assistant", "content": "Sunny.", member: "Look it up."}
    assert messages_of(turn) == [message("assistant", "Sunny.", reasoning="Look it up.")]
    assert messages_of(turn, reasoning=[]) == [message("assistant", "Sunny.")]
    assert messages_of({**turn, "inner": "I"}, reasoning="inner")[0]["reasoning"] == "I"


@pytest.mark.parametrize(
    ("value", "kept"),
    [(0, 0.0), (1, 1.0), (0.5, 0.5), (2, 2.0), (-0.0, 0.0), (True, 1.0), (False, 0.0), (None, None)],
)
def test_a_weight_is_a_number_of_0_or_more(value: Any, kept: float | None) -> None:
    for name, rule in (("weight", {}), ("train", {"weight": "train"})):
        turn = {"role": "assistant", "content": "x", name: value}
        assert messages_of(turn, **rule)[0]["weight"] == kept
        assert type(messages_of(turn, **rule)[0]["weight"]) is type(kept)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("no", "wrong_type"),
        ("0", "wrong_type"),
        ("", "wrong_type"),
        ([], "wrong_type"),
        ({"value": 0}, "wrong_type"),
        (-1, "value_out_of_range"),
        (-0.5, "value_out_of_range"),
    ],
)
@pytest.mark.parametrize(("member", "more"), [("weight", {}), ("train", {"weight": "train"})])
def test_a_weight_that_cannot_be_read_is_never_one_to_learn(
    member: str, more: dict[str, Any], value: Any, reason: str
) -> None:
    turn = {"role": "assistant", "content": "x", member: value}
    fault = refusal({"turns": [turn]}, messages={"path": "turns", **more})
    assert (fault.reason, "a turn's weight to be" in fault.detail) == (reason, True)


def test_a_turn_that_is_a_call_keeps_its_weight() -> None:
    turn = {"role": "tool_call", "content": '{"name": "f", "arguments": {}}', "weight": 0}
    (read,) = messages_of(turn)
    assert (read["role"], read["weight"]) == ("assistant", 0.0)


@pytest.mark.parametrize("absent", [{}, {"content": None}])
def test_absent_and_null_are_the_same_whatever_else_a_turn_has(absent: dict[str, Any]) -> None:
    call = {"id": "c", "name": "f", "arguments": "{}"}
    assert messages_of({"role": "assistant", "tool_calls": [call], **absent}) == [
        message("assistant", None, tool_calls=[call])
    ]
    assert messages_of({"role": "tool", "tool_call_id": "c", **absent}) == [
        message("tool", None, tool_call_id="c")
    ]
    assert messages_of({"role": "assistant", "name": "bot", **absent}) == [
        message("assistant", None, name="bot")
    ]
    assert messages_of({"role": "user", **absent}) == [message("user", None)]


CALL = {"id": "c1", "name": "add", "arguments": '{"a":1}'}


@pytest.mark.parametrize(
    ("calls", "gives"),
    [
        ({"toolUse": {"toolUseId": "c1", "name": "add", "input": {"a": 1}}},
         {"toolResult": {"toolUseId": "c1", "content": [{"text": "2"}], "status": "success"}}),
        ({"toolUse": {"toolUseId": "c1", "name": "add", "input": {"a": 1}}},
         {"toolResult": {"toolUseId": "c1", "content": [{"json": 2}]}}),
        ({"functionCall": {"id": "c1", "name": "add", "args": {"a": 1}}},
         {"functionResponse": {"id": "c1", "name": "add", "response": 2}}),
        ({"tool_call": {"tool_name": "add", "arguments": {"a": 1}, "id": "c1", "extra": None}},
         {"tool_call_result": {"result": "2", "origin": {"tool_name": "add", "id": "c1"}, "error": False}}),
        ({"id": "c1", "name": "add", "arguments": '{"a":1}'},
         {"content": "2", "name": "add", "call_id": "c1", "is_error": False}),
    ],
    ids=["bedrock", "bedrock-json", "gemini", "haystack", "autogen"],
)  # fmt: skip
def test_parts_without_a_type_are_told_by_their_members(calls: Any, gives: Any) -> None:
    found = messages_of(
        {"role": "assistant", "content": [{"text": "I add."}, calls]}, {"role": "user", "content": [gives]}
    )
    assert found[0] == message("assistant", "I add.", tool_calls=[CALL])
    assert (found[1]["role"], found[1]["content"], found[1]["tool_call_id"]) == ("tool", "2", "c1")


def test_the_name_of_a_tool_that_stands_in_a_part_of_its_turn_is_kept() -> None:
    part = {"tool_call_result": {"result": "2", "origin": {"tool_name": "add", "id": "c1"}}}
    assert messages_of({"role": "tool", "name": None, "content": [part]}) == [
        message("tool", "2", tool_call_id="c1", name="add")
    ]


def test_a_thought_without_a_type_is_none_of_the_texts() -> None:
    parts = [
        {"text": "Look.", "thought": True},
        {"reasoningContent": {"reasoningText": {"text": "Add."}}},
        {"text": "Yes."},
    ]
    assert messages_of({"role": "model", "parts": parts}) == [
        message("assistant", "Yes.", reasoning="Look.\nAdd.")
    ]


@pytest.mark.parametrize(
    ("part", "named"),
    [
        ({"image": {"format": "png"}}, "image"),
        ({"inlineData": {"data": ""}}, "blob"),
        ({"toolResult": {"toolUseId": "c", "content": [{"image": {}}]}}, "image"),
        ({"whatever": 1}, "of an unknown kind"),
    ],
)
def test_a_part_without_a_type_that_is_no_text_is_named(part: Any, named: str) -> None:
    assert refusal({"turns": [{"role": "user", "content": [part]}]}, messages="turns").detail.endswith(named)


def test_what_a_model_says_aloud_beside_its_content_is_named() -> None:
    said = {"role": "assistant", "content": None, "audio": {"id": "a", "transcript": "Hello."}}
    found = refusal({"turns": [{"role": "user", "content": "Hi"}, said]}, messages="turns")
    assert found.detail.endswith("that is not text: audio")
    assert messages_of({**said, "content": "Hello."}) == [message("assistant", "Hello.")]
    assert messages_of({**said, "audio": None}) == [message("assistant", None)]
