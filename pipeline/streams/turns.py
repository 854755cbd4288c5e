"""The text of one turn of a conversation, as logs write it."""

from __future__ import annotations

from typing import Any

from pipeline.streams.misfit import MisfitError, wrong_type
from pipeline.streams.skips import SkipReason

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


def content_text(content: Any) -> str | None:
    """The text of a turn's content: a text, a list of text parts (joined by newlines), or null.

    A part that is no text (an image, say) raises MisfitError: leaving it out would change what
    the model was shown.
    """
    if content is None or type(content) is str:
        return content
    if type(content) is not list:
        raise wrong_type("a turn's content to be a text or a list of text parts", content)
    pieces = []
    for part in content:
        if type(part) is dict and part.get("type", "text") in ("text", "input_text", "output_text"):
            part = part.get("text")
        if type(part) is not str:
            raise MisfitError(SkipReason.WRONG_TYPE, "a turn holds a content part that is not text")
        pieces.append(part)
    return "\n".join(pieces)


def turn_text(conversation: Any, role: str, which: str) -> str | None:
    """The text of the ``first`` or ``last`` turn of ``role`` that has one; null without such a turn."""
    if conversation is None:
        return None
    if type(conversation) is not list:
        raise wrong_type("a list of turns", conversation)
    for turn in conversation if which == "first" else reversed(conversation):
        if type(turn) is dict and turn.get("role") == role:
            text = content_text(turn.get("content"))
            if text is not None:
                return text
    return None
