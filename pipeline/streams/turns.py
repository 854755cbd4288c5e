"""The speakers of a conversation, as logs call them, and the text of one turn."""

from __future__ import annotations

from typing import Any

from pipeline.streams.blocks import pieces_of
from pipeline.streams.inner_json import turns_of
from pipeline.streams.misfit import wrong_type

# Words for speakers that are common enough to need no declaration.
USUAL_ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "ai": "assistant",
    "gpt": "assistant",
    "model": "assistant",
    "tool": "tool",
    "function": "tool",
    "observation": "tool",
}

# Speakers of a turn that is nothing but calls, with their JSON as its text.
CALLING_ROLES = frozenset(("function_call", "tool_call"))


def turn_text(conversation: Any, role: str, which: str) -> str | None:
    """The text of the ``first`` or ``last`` turn of ``role`` that has one; null without such a turn."""
    if conversation is None:
        return None
    turns = turns_of(conversation)
    for turn in turns if which == "first" else reversed(turns):
        if type(turn) is dict and turn.get("role") == role:
            text = _text(turn.get("content"))
            if text is not None:
                return text
    return None


def _text(content: Any) -> str | None:
    """The texts of a content, whatever else stands between them but what is no part of a conversation."""
    if content is None or type(content) is str:
        return content
    if type(content) is not list:
        raise wrong_type("a turn's content to be a text or a list of text parts", content)
    texts = [piece for piece in pieces_of(content) if type(piece) is str]
    return "\n".join(texts) if texts or not content else None
