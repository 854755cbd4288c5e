"""Items of a conversation that say by their ``type`` what they are, and have no speaker.

OpenAI's Responses API, and the session files of agents that are built on it, list what the model
thought, said and called as items of their own, and so do Pydantic AI's parts by their ``part_kind``.
Those of one answer are one turn here, as they are one turn of the model; so are turns that share the
id of one message.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from pipeline.streams.blocks import (
    Call,
    Piece,
    Result,
    Thought,
    content_text,
    pieces_of,
    text_member,
    thought_text,
)
from pipeline.streams.texts import written_exactly

_CALLS = frozenset(("function_call", "custom_tool_call"))
_RESULTS = frozenset(("function_call_output", "custom_tool_call_output", "local_shell_call_output"))
_OTHERS = frozenset(("local_shell_call", "reasoning"))
# Pydantic AI's parts of a message, and who says them; a retry is the tool's where it names one.
_SPEAKERS = {"system-prompt": "system", "user-prompt": "user", "text": "assistant", "retry-prompt": "user"}
_PARTS = frozenset((*_SPEAKERS, "thinking", "tool-call", "tool-return"))
MEMBERS_READ = (
    *("type", "id", "call_id", "arguments", "input", "output", "action", "summary", "content"),
    *("part_kind", "tool_name", "args", "tool_call_id"),
)

Message = dict[str, Any]


class Said(NamedTuple):
    """An item that is a turn of its own: who speaks, and the content."""

    role: str
    content: Any


def is_known_item(turn: dict[str, Any]) -> bool:
    """Whether ``item_piece`` reads it."""
    kind = turn.get("type")
    if kind is None:
        part = turn.get("part_kind")
        return type(part) is str and part in _PARTS
    return type(kind) is str and (kind in _CALLS or kind in _RESULTS or kind in _OTHERS)


def item_piece(item: dict[str, Any]) -> Piece | Said | None:
    """What an item is, or None for one that is none of these. Raises MisfitError."""
    kind = item.get("type")
    if kind is None and "part_kind" in item:
        return _of_part(item)
    if type(kind) is not str:
        return None
    if kind in _CALLS:
        # Results refer to ``call_id``; ``id`` is the item's own.
        return Call({name: value for name, value in item.items() if name != "id" or "call_id" not in item})
    if kind == "local_shell_call":
        return Call({"name": "local_shell", "call_id": item.get("call_id"), "arguments": item.get("action")})
    if kind in _RESULTS:
        call_id = text_member(item, "call_id", "id")
        return Result(call_id, content_text(item.get("output")), text_member(item, "name"))
    if kind == "reasoning":
        return Thought(thought_text(item.get("content")) or thought_text(item.get("summary")))
    return None


def _of_part(part: dict[str, Any]) -> Piece | Said | None:
    kind = part["part_kind"]
    if type(kind) is not str or kind not in _PARTS:
        return None
    if kind in _SPEAKERS and not (kind == "retry-prompt" and part.get("tool_name") is not None):
        content = part.get("content")
        # A retry without a tool may list what was wrong with the answer.
        return Said(_SPEAKERS[kind], written_exactly(content) if _are_errors(kind, content) else content)
    return next(pieces_of([part]))


def _are_errors(kind: str, content: Any) -> bool:
    return kind == "retry-prompt" and type(content) is not str and content is not None


def answer_of(turn: Any, role: str | None) -> str | None:
    """What names the answer that a turn of the assistant belongs to; None where it stands by itself.

    ``role`` is that of the turn, None for an item.
    """
    if type(turn) is not dict:
        return None
    if (
        role is None
        and type(turn.get("part_kind")) is str
        and _SPEAKERS.get(turn["part_kind"]) != "assistant"
    ):
        return "" if turn["part_kind"] in ("thinking", "tool-call") else None
    if role is None or turn.get("type") == "message":
        return "" if role in (None, "assistant") else None
    own = turn.get("id")
    return own if role == "assistant" and type(own) is str and own else None


def merge(message: Message, more: Message) -> None:
    """Put what another piece of the same answer says into ``message``."""
    for text in ("reasoning", "content"):
        if message[text] and more[text]:
            message[text] = f"{message[text]}\n{more[text]}"
        else:
            message[text] = message[text] or more[text]
    if more["tool_calls"]:
        message["tool_calls"] = [*(message["tool_calls"] or ()), *more["tool_calls"]]
    message["name"] = more["name"] if message["name"] is None else message["name"]
    # Of one answer nothing is learned more than its least piece allows.
    weights = [each["weight"] for each in (message, more) if each["weight"] is not None]
    message["weight"] = min(weights, default=None)


def calls_of(messages: list[Message]) -> set[str]:
    """The ids of the calls in ``messages``."""
    return {
        call["id"] for message in messages for call in message["tool_calls"] or () if call["id"] is not None
    }
