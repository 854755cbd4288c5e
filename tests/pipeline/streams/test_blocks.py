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
