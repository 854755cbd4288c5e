"""Where a conversation is cut, and which of its texts are its view."""

from __future__ import annotations

from pipeline.stages.transcript import answers, first_text, last_answer, up_to_last_answer
from tests.pipeline.stages.builders import turn

CHAT = [
    turn("system", "Policy"),
    turn("user", "First"),
    turn("assistant", "Looking.", ("look", "{}")),
    turn("tool", "found"),
    turn("assistant", None, ("book", "{}")),
    turn("tool", "Transfer successful"),
    turn("assistant", " "),
    turn("user", "###STOP###"),
]


def test_what_follows_the_last_answer_is_cut() -> None:
    assert up_to_last_answer(CHAT) == CHAT[:5]


def test_a_conversation_without_an_answer_is_cut_to_nothing() -> None:
    assert up_to_last_answer([turn("user", "Hello"), turn("assistant", "")]) == []


def test_the_view_is_first_user_turn_system_prompt_and_last_assistant_text() -> None:
    assert first_text(CHAT, "user") == "First"
    assert first_text(CHAT, "system") == "Policy"
    assert first_text(CHAT[1:], "system") is None
    assert last_answer(CHAT) == "Looking."
    assert last_answer(CHAT[4:]) == ""


def test_answers_are_the_assistant_turns_that_said_something() -> None:
    assert answers(CHAT) == [CHAT[2], CHAT[4]]
