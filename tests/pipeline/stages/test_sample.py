"""What one reading of a run finds: its keys, its length, and that remembering changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stages import sample as sample_module
from pipeline.stages.refusals import Refusal
from pipeline.stages.sample import Sample, asked, read_sample
from pipeline.stages.text_keys import TURN_KEY_BYTES, AnswerKeys
from tests.pipeline.stages.builders import conversation, evidence, turn
from tests.pipeline.stages.keys_of_runs import answer_keys_of


def read(row: dict[str, Any]) -> Sample:
    found = read_sample(row)
    assert not isinstance(found, Refusal), found
    return found


def turn_key(message: dict[str, Any]) -> bytes:
    """The key of a message that stands before an answer."""
    keys = read(conversation(1, message, turn("assistant", "Done."))).turn_keys
    return keys[:TURN_KEY_BYTES]


CONTENT = st.none() | st.sampled_from(["", " ", "a", "a  b", "\u3000é"])
MESSAGES = st.lists(
    st.builds(turn, st.sampled_from(["system", "user", "assistant", "tool"]), CONTENT)
    | st.builds(turn, st.just("assistant"), CONTENT, st.tuples(st.just("run"), st.just("{}"))),
    min_size=1,
    max_size=7,
)


@given(MESSAGES.map(lambda turns: conversation(1, *turns)) | st.builds(evidence, response=CONTENT))
def test_a_sample_has_the_keys_of_its_run(row: dict[str, Any]) -> None:
    found = read_sample(row)
    if isinstance(found, Refusal):
        assert answer_keys_of(row) is None
        return
    assert AnswerKeys(found.response_key, found.loose_response_key) == answer_keys_of(row)
    assert len(found.turn_keys) == TURN_KEY_BYTES * len(found.messages or ())
    assert found.turns >= 1


def test_a_flat_prompt_is_shared_only_when_it_is_exactly_the_same() -> None:
    prompts = [
        evidence(instruction="a", context="b"),
        evidence(instruction="a ", context="b"),
        evidence(instruction="b", context="a"),
        evidence(instruction="ab"),
    ]
    assert len({read(prompt).prompt_key for prompt in prompts}) == len(prompts)
    assert read(conversation()).prompt_key == b""


def test_turn_keys_name_roles_and_end_with_the_last_answer() -> None:
    assert bytes(read(conversation()).turn_keys[::TURN_KEY_BYTES]) == b"suata"
    assert read(evidence()).turn_keys == b""


def test_what_was_asked_is_compared_exactly() -> None:
    assert turn_key(turn("user", "a  b")) != turn_key(turn("user", "a b"))
    assert turn_key(turn("tool", "ok", name="one")) != turn_key(turn("tool", "ok", name="two"))
    assert turn_key(turn("tool", "ok", tool_call_id="1")) == turn_key(turn("tool", "ok", tool_call_id="2"))
    assert turn_key(turn("user", "a")) != turn_key(turn("system", "a"))


def test_answers_within_a_prompt_are_compared_as_texts() -> None:
    assert turn_key(turn("assistant", "a\u200b b\r\n")) == turn_key(turn("assistant", "a b"))
    assert turn_key(turn("assistant", "a  b")) != turn_key(turn("assistant", "a b"))
    assert turn_key(turn("assistant", "a", ("x", "{}"))) == turn_key(turn("assistant", "a", ("x", "")))
    assert turn_key(turn("assistant", "a", ("x", "{}"))) != turn_key(turn("assistant", "a", ("x", "[]")))


def test_the_length_counts_every_text_that_is_exported_in_bytes() -> None:
    flat = read(evidence(instruction="é" * 40, context=None, response="a" * 40))
    assert flat.estimated_tokens == (80 + 40) // 4 + 2 * 4
    said = conversation(1, turn("user", "a" * 40), turn("assistant", None, ("name", "b" * 35)))
    assert read(said).estimated_tokens == (40 + 1 + 4 + 1 + 35 + 3) // 4 + 2 * 4


def test_remembered_texts_read_the_same_and_stay_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample_module, "_REMEMBERED_TEXTS", 3)
    monkeypatch.setattr(sample_module, "_remembered", {})
    first = [asked(f"text {number % 5}") for number in range(20)]
    assert len(sample_module._remembered) <= 3
    monkeypatch.setattr(sample_module, "_remembered", {})
    assert [asked(f"text {number % 5}") for number in range(20)] == first
