"""Turns of a conversation with their texts left raw until a wall needs them."""

from __future__ import annotations

import struct
from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from pipeline.contracts.untrusted import visible
from pipeline.firewall import strict_json
from pipeline.firewall.strict_json import UnreadableError
from pipeline.firewall.text_forms import strict_form

# The first byte of a text or null, as ``struct`` reads it: half the time of a memoryview.
_first_byte = struct.Struct("c").unpack_from
_TEXT_BEGINS = ((b'"',), (b"n",))
_QUOTE, _SPACE, _DELETE = b'" \x7f'
_NOT_YET_SEEN = b'"\\`~'  # an empty text, an escape, or a fence around nothing


ROLES = frozenset(("system", "user", "assistant", "tool"))


class ToolCall(msgspec.Struct, gc=False):
    id: str | UnsetType | None = UNSET
    name: str | UnsetType = UNSET
    arguments: Raw | UnsetType = UNSET


class Message(msgspec.Struct, gc=False):
    """A turn of evidence, or of an export of either version; members in the order they are written.

    Evidence and exports of version 1 list the calls of a turn, those of version 2 hold that list as
    JSON text.
    """

    role: str | UnsetType = UNSET
    content: Raw | UnsetType = UNSET
    tool_calls: list[ToolCall] | str | UnsetType | None = UNSET
    tool_call_id: str | UnsetType | None = UNSET
    name: str | UnsetType | None = UNSET
    reasoning: Raw | UnsetType = UNSET
    weight: int | float | UnsetType | None = UNSET


TURN_MEMBERS = frozenset(Message.__struct_fields__)


class Provenance(msgspec.Struct, gc=False):
    source_file: str | UnsetType = UNSET
    line: int | UnsetType = UNSET
    byte_offset: int | UnsetType = UNSET
    sig_hash: str | UnsetType = UNSET
    part: int | UnsetType = UNSET


class SourceRange(msgspec.Struct, gc=False):
    source_file: str | UnsetType = UNSET
    first_line: int | UnsetType = UNSET
    last_line: int | UnsetType = UNSET
    byte_offset: int | UnsetType = UNSET
    byte_end: int | UnsetType = UNSET
    lines: int | UnsetType = UNSET


class EvidenceProvenance(Provenance, gc=False):
    """Of several lines, the first; then the key of their group and where all of them lie."""

    group: str | UnsetType = UNSET
    ranges: list[SourceRange] | UnsetType = UNSET


_encode = msgspec.json.Encoder().encode
_decode_text = msgspec.json.Decoder(str | None).decode
_decode_calls = msgspec.json.Decoder(list[ToolCall]).decode
_FAULTS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def text_of(raw: Raw | UnsetType | None) -> str | None:
    """The text of a raw member, None where there is none."""
    return None if raw is UNSET or raw is None else _decode_text(raw)


def raw_bytes(raw: Raw | UnsetType | None) -> bytes:
    """A raw member as bytes; one that is not there reads as null."""
    return b"null" if raw is UNSET or raw is None else bytes(raw)


def begins_text(raw: Raw) -> bool:
    return _first_byte(raw) in _TEXT_BEGINS


def is_text(raw: Raw | UnsetType) -> bool:
    """Whether a raw member is a text, null or absent: anything else could hide a repeated key."""
    return raw is UNSET or _first_byte(raw) in _TEXT_BEGINS


def hold_texts(messages: list[Message] | UnsetType | None) -> bool:
    """``is_text`` for every raw member of a conversation."""
    for message in messages or ():
        if message.role not in ROLES:
            return False
        content = message.content
        if content is not UNSET and _first_byte(content) not in _TEXT_BEGINS:
            return False
        if message.reasoning is not UNSET and _first_byte(message.reasoning) not in _TEXT_BEGINS:
            return False
        calls = message.tool_calls
        if calls and not (_holds_calls(calls) if isinstance(calls, str) else _all_texts(calls)):
            return False
    return True


def _all_texts(calls: list[ToolCall]) -> bool:
    return all(is_text(call.arguments) for call in calls)


def _holds_calls(text: str) -> bool:
    """Whether a text is a list of calls and nothing besides: the same bytes come of writing it again."""
    try:
        calls = _decode_calls(text)
    except _FAULTS:
        return False
    return _encode(calls) == text.encode() and _all_texts(calls)


def calls_of(message: Message) -> list[tuple[str, str]]:
    """Name and arguments of each call of a turn whose ``hold_texts`` was looked at."""
    calls = message.tool_calls
    if isinstance(calls, str):
        calls = _decode_calls(calls) if calls else []
    return [(call.name or "", text_of(call.arguments) or "") for call in calls or ()]


def first_user_text(messages: list[Message] | UnsetType | None) -> str:
    """Text of the first user turn, empty when there is none."""
    for message in messages or ():
        if message.role == "user":
            return text_of(message.content) or ""
    return ""


def last_answer(messages: list[Message] | UnsetType | None) -> Raw | None:
    """The raw text of the last assistant turn that has one, None when no turn has."""
    for message in reversed(messages or ()):
        if message.role == "assistant" and message.content is not UNSET and not _is_blank(message.content):
            return message.content
    return None


def _is_blank(raw: Raw) -> bool:
    """Whether a raw text is null or nothing can be seen in it."""
    view = memoryview(raw)
    if view[0] == _QUOTE and _SPACE < view[1] < _DELETE and view[1] not in _NOT_YET_SEEN:
        return False  # its first character is visible
    text = _decode_text(raw)
    return not text or not strict_form(text).text


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
    if value["role"] not in ROLES:
        raise UnreadableError(f"messages holds the role '{visible(value['role'], 40)}', which nobody knows")
    calls = value.get("tool_calls")
    if isinstance(calls, str):
        calls = strict_json.read(calls.encode()) if calls else None
    if calls is not None and not isinstance(calls, list):
        raise UnreadableError("tool_calls is not a list")
    return Message(
        role=value["role"],
        content=raw_text(value, "content"),
        tool_calls=None if calls is None else [_parsed_call(call) for call in calls],
        tool_call_id=value.get("tool_call_id", UNSET),
        name=value.get("name", UNSET),
        reasoning=raw_text(value, "reasoning"),
        weight=value.get("weight", UNSET),
    )


def _parsed_call(value: Any) -> ToolCall:
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        raise UnreadableError("tool_calls holds something that is no call")
    return ToolCall(name=value["name"], arguments=raw_text(value, "arguments"))
