"""When two rows are the same sample, and when one key serves both exports."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.stages.sample_keys import rag_sample_key, same_key_for_both, sft_sample_key

A, B = b"a" * 16, b"b" * 16


def sample(**changed: Any) -> Any:
    known = {
        "instruction_key": A, "task_text_key": A, "context_key": None, "response_key": B, "tools_key": b"",
        "turn_keys": b"",
    }  # fmt: skip
    return SimpleNamespace(**{**known, **changed})


def test_one_key_serves_both_exactly_where_both_are_the_same() -> None:
    told = set()
    for instruction, task, context, tools, turns in itertools.product(
        (A, B), (A, B), (None, A), (b"", b"t" * 16), (b"", b"u" * 32)
    ):
        one = sample(
            instruction_key=instruction,
            task_text_key=task,
            context_key=context,
            tools_key=tools,
            turn_keys=turns,
        )
        assert same_key_for_both(one) is (sft_sample_key(one) == rag_sample_key(one))
        told.add(same_key_for_both(one))
    assert told == {True, False}


@pytest.mark.parametrize("name", ["instruction_key", "context_key", "response_key", "tools_key"])
def test_a_flat_row_is_its_instruction_context_and_response_and_what_was_offered(name: str) -> None:
    assert sft_sample_key(sample(**{name: b"c" * 16})) != sft_sample_key(sample())
    assert sft_sample_key(sample(task_text_key=B)) == sft_sample_key(sample())


@pytest.mark.parametrize("name", ["turn_keys", "tools_key"])
def test_a_conversation_is_its_turns_and_what_was_offered(name: str) -> None:
    chat = sample(turn_keys=A + B)
    assert sft_sample_key(sample(**{"turn_keys": A + B, name: b"c" * 32})) != sft_sample_key(chat)
    assert sft_sample_key(sample(turn_keys=A + B, instruction_key=B, response_key=A)) == sft_sample_key(chat)


@pytest.mark.parametrize("name", ["task_text_key", "context_key", "response_key"])
def test_a_playbook_is_its_task_context_and_answer(name: str) -> None:
    assert rag_sample_key(sample(**{name: b"c" * 16})) != rag_sample_key(sample())
    assert rag_sample_key(sample(instruction_key=B, tools_key=A)) == rag_sample_key(sample())


def test_a_context_that_is_missing_is_not_the_answer_in_its_place() -> None:
    assert sft_sample_key(sample(context_key=B, response_key=None)) != sft_sample_key(sample())
    assert len(sft_sample_key(sample())) == len(rag_sample_key(sample())) == 16
