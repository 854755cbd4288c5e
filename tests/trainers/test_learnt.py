"""What stands under loss: the assistant's turns are taken, one word too many or too few is seen."""

from __future__ import annotations

import pytest

from tests.trainers.learnt import Message, only_the_assistant, read_back, segments

CALL = {"function": {"name": "w", "arguments": {"city": "Oslo"}}}
MESSAGES: list[Message] = [
    {"role": "user", "content": "Rain?"},
    {"role": "assistant", "content": "", "reasoning_content": "Look.", "tool_calls": [CALL]},
    {"role": "tool", "content": "rain"},
    {"role": "assistant", "content": "Yes."},
]
THOUGHT = "<think>\nLook.\n</think>\n\n"
CALLED = THOUGHT + '<tool_call>\n{"name": "w", "arguments": {"city": "Oslo"}}\n</tool_call><|im_end|>\n'
SAID = "<think>\n\n</think>\n\nYes.<|im_end|>\n"


def test_the_assistants_turns_are_what_is_to_be_learnt() -> None:
    assert only_the_assistant([CALLED, SAID], MESSAGES) is None


@pytest.mark.parametrize(
    "texts",
    [
        [CALLED],
        [SAID, CALLED],
        [CALLED, SAID, SAID],
        [CALLED.replace("Oslo", "Bonn"), SAID],
        [CALLED.replace("Look.", ""), SAID],
        [CALLED, SAID.replace("Yes.", "Yes. rain")],
        [CALLED, SAID.replace("Yes.", "Yes")],
        [CALLED, SAID.removesuffix("<|im_end|>\n")],
        ["<|im_start|>user\nRain?<|im_end|>\n", CALLED, SAID],
        [],
    ],
)
def test_other_text_and_missing_text_are_seen(texts: list[str]) -> None:
    assert only_the_assistant(texts, MESSAGES) is not None


def test_nothing_to_learn_is_no_success() -> None:
    assert only_the_assistant([], MESSAGES[:1]) is not None


def test_an_example_of_a_call_that_is_no_json_is_told_and_not_raised() -> None:
    shown = '<tool_call>\n{"name": <function-name>}\n</tool_call>'
    assert read_back(shown)["content"] == shown


def test_texts_are_cut_where_tokens_are_not_learnt_and_at_the_end_of_a_turn() -> None:
    text = "ab<|im_end|>\ncd<|im_end|>\nef"
    learnt = [place != 1 for place in range(len(text))]
    made = segments(range(len(text)), learnt, lambda ids: "".join(text[each] for each in ids))
    assert made == ["a", "<|im_end|>\n", "cd<|im_end|>\n", "ef"]
