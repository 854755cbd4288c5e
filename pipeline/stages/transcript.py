"""How a conversation is read: where it is cut, and the three texts that are its view."""

from __future__ import annotations

from typing import Any

Message = dict[str, Any]


def spoke(turn: Message) -> bool:
    """Whether an assistant turn has text or a tool call."""
    content = turn["content"]
    return bool(turn["tool_calls"]) or bool(content and not content.isspace())


def up_to_last_answer(messages: list[Message]) -> list[Message]:
    """The conversation that a model can learn from: it ends on an assistant turn that said something.

    What follows that turn is cut: a simulator's stop marker, a user's thanks, a tool's result
    that nobody answered. Empty when no assistant turn said anything.
    """
    for index in range(len(messages) - 1, -1, -1):
        turn = messages[index]
        if turn["role"] == "assistant" and spoke(turn):
            return messages[: index + 1]
    return []


def first_text(messages: list[Message], role: str) -> str | None:
    """The text of the first turn of ``role``, or None."""
    for turn in messages:
        if turn["role"] == role:
            content: str | None = turn["content"]
            return content
    return None


def last_answer(messages: list[Message]) -> str:
    """The last text that an assistant turn has, or "" when all of them only call tools."""
    for turn in reversed(messages):
        content = turn["content"]
        if turn["role"] == "assistant" and content and not content.isspace():
            return str(content)
    return ""


def answers(messages: list[Message]) -> list[Message]:
    """The assistant turns that said something, in order."""
    return [turn for turn in messages if turn["role"] == "assistant" and spoke(turn)]


def flat_prompt(instruction: str, context: str | None) -> str:
    """A flat run's prompt as one text: what was given, an empty line, what was asked."""
    return f"{context}\n\n{instruction}" if context else instruction
