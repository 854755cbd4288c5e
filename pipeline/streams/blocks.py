"""The content of a turn, as a text or as a list of parts, to what stands in it.

Texts are joined by newlines. Calls and results of tools that a log keeps as parts (Anthropic's
``tool_use`` and ``tool_result``) are told apart from them, and so is what the model thought. Any
other part, an image say, is a misfit that names it: leaving it out would change what the model
was shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from pipeline.contracts.skips import SkipReason
from pipeline.streams.misfit import MisfitError, wrong_type
from pipeline.streams.texts import written_exactly
from pipeline.streams.untyped_parts import typed

_TEXTS = frozenset(("text", "input_text", "output_text"))
_CALLS = frozenset(("tool_use", "tool_call", "function_call"))
_RESULTS = frozenset(("tool_result", "function_call_output", "tool_call_response"))
_THOUGHTS = frozenset(("thinking", "reasoning"))
# What a model thought and its provider does not show.
_HIDDEN_THOUGHTS = frozenset(("redacted_thinking", "encrypted_reasoning"))

MEMBERS_READ = frozenset(
    (
        *("type", "text", "content", "output", "response", "result", "summary", *_THOUGHTS),
        *("id", "tool_use_id", "tool_call_id", "call_id", "name", "tool_name", "function"),
        *("arguments", "args", "parameters", "input", "kwargs", "params", "tool_input"),
    )
)
"""The members of a part with a ``type`` that are read."""

# Kinds that a skip may name: a word of the log itself is never quoted.
_KNOWN_OTHERS = frozenset(
    (
        "image",
        "image_url",
        "input_image",
        "audio",
        "audio_url",
        "input_audio",
        "output_audio",
        "video",
        "video_url",
        "input_video",
        "file",
        "input_file",
        "document",
        "refusal",
        "search_result",
        "server_tool_use",
        "web_search_tool_result",
        "code_execution_tool_result",
        "mcp_tool_use",
        "mcp_tool_result",
        "container_upload",
        "blob",
        "uri",
        "generic",
        "server_tool_call",
        "server_tool_call_response",
    )
)


class Call(NamedTuple):
    """A part that calls a tool, as the log has it."""

    raw: dict[str, Any]


class Result(NamedTuple):
    """A part that holds what a tool gave: the call's id and the text."""

    call_id: str | None
    text: str | None
    name: str | None


class Thought(NamedTuple):
    """What the model thought; None where the log says that it did, and not what."""

    text: str | None


Piece = str | Call | Result | Thought


def pieces_of(content: list[Any]) -> Iterator[Piece]:
    """What the parts of ``content`` are, in order. Raises MisfitError for a part that is none of these."""
    for part in content:
        if type(part) is str:
            yield part
            continue
        if type(part) is not dict:
            raise MisfitError(SkipReason.WRONG_TYPE, "a turn holds a content part that is no text")
        if "type" not in part:
            part = typed(part)
        kind = part.get("type", "text")
        if type(kind) is not str:
            kind = ""
        if kind in _TEXTS and type(part.get("text")) is str:
            yield part["text"]
        elif kind == "text" and type(part.get("content")) is str:
            # OpenTelemetry's parts hold their text so.
            yield part["content"]
        elif kind in _CALLS:
            yield Call(part)
        elif kind in _RESULTS:
            yield _result(part)
        elif kind in _THOUGHTS:
            yield Thought(thought_text(_first_of(part, kind, "text", "content", "summary")))
        elif kind in _HIDDEN_THOUGHTS:
            yield Thought(None)
        else:
            named = kind if kind in _KNOWN_OTHERS else "of an unknown kind"
            raise MisfitError(SkipReason.WRONG_TYPE, f"a turn holds a content part that is not text: {named}")


def _result(part: dict[str, Any]) -> Result:
    # OpenTelemetry's ``response`` (``result`` before) may be any JSON value; its ``id`` is that of the call.
    is_response = part["type"] == "tool_call_response"
    answer = _first_of(part, "response", "result") if is_response else _first_of(part, "content", "output")
    if is_response and not _is_content(answer):
        answer = written_exactly(answer)
    return Result(
        call_id=text_member(
            part, *(("id",) if is_response else ()), "tool_use_id", "tool_call_id", "call_id"
        ),
        text=content_text(answer),
        name=text_member(part, "name"),
    )


def _first_of(part: dict[str, Any], *names: str) -> Any:
    return next((part[name] for name in names if part.get(name) is not None), None)


def _is_content(value: Any) -> bool:
    """Whether a value is what turns hold: null, a text, or a list of parts that are texts."""
    if type(value) is not list:
        return value is None or type(value) is str
    return bool(value) and all(
        type(part) is str or (type(part) is dict and part.get("type") in _TEXTS) for part in value
    )


def content_text(content: Any) -> str | None:
    """The text of a content that holds nothing but text, or null. Raises MisfitError."""
    if content is None or type(content) is str:
        return content
    if type(content) is not list:
        raise wrong_type("a turn's content to be a text or a list of text parts", content)
    texts = []
    for piece in pieces_of(content):
        if type(piece) is not str:
            raise MisfitError(
                SkipReason.WRONG_TYPE, "a text holds a part that is not text: a call or a result"
            )
        texts.append(piece)
    return "\n".join(texts)


def thought_text(value: Any) -> str | None:
    """A reasoning as a text: a text, or a list of texts or of objects with a ``text``; else None."""
    if type(value) is str:
        return value or None
    if type(value) is not list:
        return None
    texts = [item.get("text") if type(item) is dict else item for item in value]
    return "\n".join(text for text in texts if type(text) is str) or None


def text_member(holder: dict[str, Any], *names: str) -> str | None:
    """The first of the members that is there, or None. Raises MisfitError for one that is no text."""
    for name in names:
        value = holder.get(name)
        if type(value) is str:
            return value
        if value is not None:
            raise wrong_type(f"{name} to be a text", value)
    return None
