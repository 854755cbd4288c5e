"""When texts are the same text, and that keys agree with it."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stages.text_keys import (
    digest16,
    instruction_key,
    normalise,
    response_key,
)
from tests.pipeline.stages.builders import conversation, evidence, turn

SPACES = [chr(code) for code in range(0x110000) if chr(code).isspace()]
TEXTS = st.text(st.sampled_from([*SPACES, "a", "b", "e", "\u0301", "´", "ﬁ", "\u200b", "中"]), max_size=30)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("  a \n\n\t b  ", "a b"),
        ("ﬁle №1", "file No1"),
        ("e\u0301", "é"),
        ("a\u00a0\u3000b", "a b"),
        ("a\x1c\x85\u2028b", "a b"),
        ("a\u200bb", "a\u200bb"),
        ("Case Stays", "Case Stays"),
        (" \r\n ", ""),
    ],
)
def test_normal_forms(text: str, normal: str) -> None:
    assert normalise(text) == normal


@given(TEXTS | st.text())
def test_the_fast_way_equals_the_definition(text: str) -> None:
    assert normalise(text) == " ".join(unicodedata.normalize("NFKC", text).split())


@given(TEXTS)
def test_a_normal_form_is_its_own_normal_form(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


def test_parts_of_a_digest_do_not_run_together() -> None:
    assert digest16("ab", "c") != digest16("a", "bc") != digest16("abc")
    assert len(digest16("a\ud800")) == 16


@given(TEXTS, TEXTS)
def test_two_responses_share_a_key_exactly_when_they_are_the_same_text(one: str, other: str) -> None:
    keys = response_key(evidence(response=one)), response_key(evidence(response=other))
    assert (keys[0] == keys[1]) is (normalise(one) == normalise(other))
    assert (keys[0] is None) is (normalise(one) == "")


def test_a_conversation_with_one_answer_has_the_key_of_that_answer() -> None:
    chat = conversation(1, turn("user", "Which?"), turn("assistant", " wc  -l\nFILE"), turn("user", "Thanks"))
    assert response_key(chat) == response_key(evidence(response="wc -l FILE"))


def test_all_assistant_turns_count_and_silent_ones_do_not() -> None:
    def key(*answers: dict[str, Any]) -> bytes | None:
        return response_key(conversation(1, turn("user", "Go"), *answers))

    once = key(turn("assistant", "a"), turn("user", "?"), turn("assistant", "b"))
    assert once == key(turn("assistant", "a"), turn("assistant", " "), turn("assistant", "b"))
    assert once != key(turn("assistant", "b"), turn("assistant", "a"))
    assert once != key(turn("assistant", "b"))
    assert key(turn("assistant", None)) is None


def test_a_call_is_part_of_the_answer_and_no_text_can_pose_as_one() -> None:
    def key(answer: dict[str, Any]) -> bytes | None:
        return response_key(conversation(1, turn("user", "Go"), answer))

    call = turn("assistant", "x", ("rm", '{"path": "a"}'))
    keys = {
        key(call),
        key(turn("assistant", "x", ("rm", '{"path": "b"}'))),
        key(turn("assistant", "x", ("mv", '{"path": "a"}'))),
        key(turn("assistant", "x")),
        key(turn("assistant", 'x rm {"path": "a"}')),
        key(turn("assistant", "x", ("rm", '{"path": "a"}'), ("rm", '{"path": "a"}'))),
    }
    assert len(keys) == 6
    other_id = {**call, "tool_calls": [{**call["tool_calls"][0], "id": "another"}]}
    assert key(call) == key(other_id)


def test_an_instruction_is_the_first_user_turn_of_a_conversation() -> None:
    chat = conversation() | {"instruction": "a summary that the model never saw"}
    assert instruction_key(chat) == instruction_key(evidence(instruction="Book  a seat."))
    assert instruction_key(evidence(instruction=" ")) is None
    assert instruction_key(conversation(1, turn("assistant", "Hi"))) is None
