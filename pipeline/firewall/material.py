"""What a row or a run was asked and what was answered, whichever shape holds it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pipeline.firewall.conversation import Message, calls_of, text_of
from pipeline.firewall.text_forms import question_form, strict_form


class Said(NamedTuple):
    """One assistant turn: its text, and its calls as (name, arguments)."""

    text: str
    calls: tuple[tuple[str, str], ...] = ()

    @property
    def is_nothing(self) -> bool:
        return not self.calls and not strict_form(self.text).text


class Material(NamedTuple):
    """``asked``: role and text of each turn before the first answer; ``said``: the answers in order."""

    asked: tuple[tuple[str, str], ...]
    said: tuple[Said, ...]


def of_texts(instruction: str | None, context: str | None, response: str | None) -> Material:
    """Of a flat row or run: its context is what the system said."""
    said = Said(response or "")
    return Material(
        (("system", context or ""), ("user", instruction or "")), () if said.is_nothing else (said,)
    )


def of_messages(messages: Sequence[Message], context: str | None) -> Material:
    """Of a conversation up to its last answer.

    ``context`` counts as what the system said where no turn of the system says anything.
    """
    asked: list[tuple[str, str]] = []
    said: list[Said] = []
    is_told = False
    for message in up_to_last_answer(messages):
        text = text_of(message.content) or ""
        if message.role == "assistant":
            answer = Said(text, tuple(calls_of(message)))
            if not answer.is_nothing:
                said.append(answer)
            continue
        is_told = is_told or (message.role == "system" and bool(question_form(text)))
        if not said:
            asked.append((str(message.role), text))
    if context and not is_told:
        asked.insert(0, ("system", context))
    return Material(tuple(asked), tuple(said))


def up_to_last_answer(messages: Sequence[Message]) -> Sequence[Message]:
    for at in range(len(messages) - 1, -1, -1):
        message = messages[at]
        if message.role == "assistant" and (calls_of(message) or (text_of(message.content) or "").strip()):
            return messages[: at + 1]
    return ()
