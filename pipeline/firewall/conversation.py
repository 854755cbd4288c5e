"""Turns of a conversation with their texts left raw until a wall needs them."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from pipeline.firewall.strict_json import UnreadableError
from pipeline.firewall.text_keys import Turn, turn

_QUOTE, _NULL = b'"'[0], b"n"[0]


class ToolCall(msgspec.Struct, gc=False):
    id: str | UnsetType | None = UNSET
    name: str | UnsetType = UNSET
    arguments: Raw | UnsetType = UNSET


class Message(msgspec.Struct, gc=False):
    role: str | UnsetType = UNSET
    content: Raw | UnsetType = UNSET
    tool_calls: list[ToolCall] | UnsetType | None = UNSET
    tool_call_id: str | UnsetType | None = UNSET
    name: str | UnsetType | None = UNSET


class Provenance(msgspec.Struct, gc=False):
    source_file: str | UnsetType = UNSET
    line: int | UnsetType = UNSET
    byte_offset: int | UnsetType = UNSET
    sig_hash: str | UnsetType = UNSET
    part: int | UnsetType = UNSET


_encode = msgspec.json.Encoder().encode
_decode_text = msgspec.json.Decoder(str | None).decode


def text_of(raw: Raw | UnsetType) -> str | None:
    """The text of a raw member, None where there is none."""
    return None if raw is UNSET else _decode_text(raw)


def is_text(raw: Raw | UnsetType) -> bool:
    """Whether a raw member is a text, null or absent: anything else could hide a repeated key."""
    return raw is UNSET or memoryview(raw)[0] in (_QUOTE, _NULL)


def hold_texts(messages: list[Message] | UnsetType | None) -> bool:
    """``is_text`` for every raw member of a conversation."""
    for message in messages or ():
        content = message.content
        if content is not UNSET and memoryview(content)[0] not in (_QUOTE, _NULL):
            return False
        if message.tool_calls:
            for call in message.tool_calls:
                if not is_text(call.arguments):
                    return False
    return True


def assistant_turns(messages: list[Message] | UnsetType | None) -> list[Turn]:
    """All assistant turns in order; those with neither text nor tool call are left out."""
    turns = []
    for message in messages or ():
        if message.role == "assistant":
            calls = [(call.name or "", text_of(call.arguments) or "") for call in message.tool_calls or ()]
            said = turn(text_of(message.content), calls)
            if not said.says_nothing:
                turns.append(said)
    return turns


def first_user_text(messages: list[Message] | UnsetType | None) -> str:
    """Text of the first user turn, empty when there is none."""
    for message in messages or ():
        if message.role == "user":
            return text_of(message.content) or ""
    return ""


def last_assistant_text(messages: list[Message] | UnsetType | None) -> str:
    """Text of the last assistant turn that has one, empty when no turn has."""
    for message in reversed(messages or ()):
        if message.role == "assistant":
            text = text_of(message.content)
            if text and not text.isspace():
                return text
    return ""


def raw_text(members: dict[str, Any], name: str) -> Raw | UnsetType:
    """A parsed text as raw bytes. Raises UnreadableError: what is no text cannot be compared."""
    if name not in members:
        return UNSET
    value = members[name]
    if value is not None and not isinstance(value, str):
        raise UnreadableError(f"{name} is not a text")
    return Raw(_encode(value))


def parsed_messages(value: Any) -> list[Message] | None:
    """A parsed conversation. Raises UnreadableError when it is none."""
    if value is None:
        return None
    if not isinstance(value, list):
        raise UnreadableError("messages is not a list")
    return [_parsed_message(member) for member in value]


def _parsed_message(value: Any) -> Message:
    if not isinstance(value, dict) or not isinstance(value.get("role"), str):
        raise UnreadableError("messages holds something that is no turn")
    calls = value.get("tool_calls")
    if calls is not None and not isinstance(calls, list):
        raise UnreadableError("tool_calls is not a list")
    return Message(
        role=value["role"],
        content=raw_text(value, "content"),
        tool_calls=None if calls is None else [_parsed_call(call) for call in calls],
    )


def _parsed_call(value: Any) -> ToolCall:
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        raise UnreadableError("tool_calls holds something that is no call")
    return ToolCall(name=value["name"], arguments=raw_text(value, "arguments"))
