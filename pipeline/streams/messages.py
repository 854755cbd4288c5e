"""A conversation, in whatever shape a log keeps it, to the messages of evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from pipeline.settings.rules import MessagesRule
from pipeline.streams.conditions import compile_condition
from pipeline.streams.misfit import MisfitError, wrong_type
from pipeline.streams.paths import Getter, compile_path
from pipeline.streams.skips import SkipReason
from pipeline.streams.texts import json_text
from pipeline.streams.turns import USUAL_ROLES, content_text

Message = dict[str, Any]
MessagesGetter = Callable[[dict[str, Any]], list[Message] | None]


def compile_messages(rule: MessagesRule) -> MessagesGetter:
    """One source line to its messages, or None where it has none. Raises MisfitError."""
    sources = [compile_path(path) for path in rule.path]
    further = [compile_path(path) for path in rule.append]
    holds = None if rule.when is None else compile_condition(rule.when)
    role, content = compile_path(rule.role), compile_path(rule.content)
    roles = {**USUAL_ROLES, **rule.roles}

    def get(line: dict[str, Any]) -> list[Message] | None:
        if holds is not None and not holds(line):
            return None
        turns = _first(sources, line)
        if turns is None:
            return None
        if type(turns) is not list:
            raise wrong_type("a list of turns", turns)
        for addition in further:
            more = addition(line)
            if more is not None:
                turns = [*turns, *(more if type(more) is list else (more,))]
        return [_message(turn, role, content, roles) for turn in turns]

    return get


def _first(sources: list[Getter], line: dict[str, Any]) -> Any:
    for source in sources:
        turns = source(line)
        if turns is not None:
            return turns
    return None


def _message(turn: Any, role: Getter, content: Getter, roles: Mapping[str, str]) -> Message:
    if type(turn) is not dict:
        raise wrong_type("each turn to be an object", turn)
    speaker = role(turn)
    known = roles.get(speaker) if type(speaker) is str else None
    if known is None:
        raise MisfitError(SkipReason.WRONG_TYPE, "a turn whose role is unknown (roles can name it)")
    text = content(turn)
    if type(text) is not str:
        text = content_text(text)
    if len(turn) == 2:
        # Most turns are a speaker and a text.
        return {
            "role": known,
            "content": text,
            "tool_calls": None,
            "tool_call_id": None,
            "name": None,
            "reasoning": None,
            "weight": None,
        }
    return {
        "role": known,
        "content": text,
        "tool_calls": _tool_calls(turn),
        "tool_call_id": _text(turn, "tool_call_id"),
        "name": _text(turn, "name"),
        "reasoning": None,
        "weight": None,
    }


def _tool_calls(turn: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    calls = turn.get("tool_calls")
    if calls is None:
        # What OpenAI's API wrote before it had tools.
        calls = [turn["function_call"]] if turn.get("function_call") is not None else None
    if calls is None:
        return None
    if type(calls) is not list:
        raise wrong_type("tool_calls to be a list", calls)
    return [_tool_call(call) for call in calls] or None


def _tool_call(call: Any) -> dict[str, Any]:
    if type(call) is not dict:
        raise wrong_type("each tool call to be an object", call)
    function = call.get("function", call)
    if type(function) is not dict:
        raise wrong_type("a tool call's function to be an object", function)
    name = function.get("name")
    if type(name) is not str:
        raise wrong_type("a tool call's name to be a text", name)
    arguments = next((function[key] for key in ("arguments", "args", "input") if key in function), None)
    # The text the model wrote is kept to the byte, even where it is not valid JSON.
    text = "{}" if arguments is None else json_text(arguments)
    return {"id": _text(call, "id"), "name": name, "arguments": text}


def _text(holder: Mapping[str, Any], key: str) -> str | None:
    value = holder.get(key)
    if value is None or type(value) is str:
        return value
    raise wrong_type(f"{key} to be a text", value)


def tools_text(value: Any) -> str:
    """The tools that a model was offered, as JSON text. Raises MisfitError."""
    if type(value) is str:
        try:
            orjson.loads(value)
        except orjson.JSONDecodeError:
            raise MisfitError(SkipReason.WRONG_TYPE, "expected JSON, found another text") from None
        return value
    if type(value) is list or type(value) is dict:
        return orjson.dumps(value).decode()
    raise wrong_type("a list of tools", value)


def last_assistant_text(messages: list[Message]) -> str | None:
    """The last text that the assistant wrote; null when it wrote none."""
    for message in reversed(messages):
        if message["role"] == "assistant" and message["content"]:
            return message["content"]  # type: ignore[no-any-return]
    return None


def first_user_text(messages: list[Message]) -> str | None:
    for message in messages:
        if message["role"] == "user":
            return message["content"]  # type: ignore[no-any-return]
    return None


def system_text(messages: list[Message]) -> str | None:
    """The system prompt: the system turns before anybody else speaks."""
    pieces = []
    for message in messages:
        if message["role"] != "system":
            break
        if message["content"]:
            pieces.append(message["content"])
    return "\n\n".join(pieces) if pieces else None
