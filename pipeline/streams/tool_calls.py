"""A call of a tool, however a log spells it, to ``{"id", "name", "arguments"}``.

Read are OpenAI's ``tool_calls`` and the ``function_call`` before them, Anthropic's ``tool_use``,
and what stands between. Arguments are JSON text: what the model wrote is kept to the byte, even
where it is no valid JSON; an object is written as JSON again, exactly, since a source line holds
neither a repeated key nor a number that does not fit 64 bits. A call whose arguments stand under
an unknown name is a misfit: without them it would be another call.
"""

from __future__ import annotations

from typing import Any

from pipeline.contracts.skips import SkipReason
from pipeline.stages.json_text import brackets
from pipeline.streams.blocks import text_member
from pipeline.streams.misfit import MisfitError, wrong_type
from pipeline.streams.texts import written_exactly

ToolCall = dict[str, Any]

_ARGUMENTS = ("arguments", "args", "parameters", "input", "kwargs", "params", "tool_input")
_NAMES = ("name", "tool_name", "toolName")
_IDS = ("id", "tool_call_id", "call_id", "toolCallId", "toolUseId")
# What else a call may hold without saying anything of its arguments.
_BESIDE = frozenset(
    (*_NAMES, *_IDS, "type", "function", "index", "status", "caller", "cache_control", "description")
)
MEMBERS_READ = frozenset((*_ARGUMENTS, *_NAMES, *_IDS, "type", "function"))
"""The members of a call that are read; ``type`` says only that it is one."""

NO_ARGUMENTS = "{}"
_UNUSED: tuple[Any, ...] = (None, "", {}, [])


def tool_calls(turn: dict[str, Any]) -> list[ToolCall]:
    """The calls that a turn asks for beside its content. Raises MisfitError."""
    calls = turn.get("tool_calls")
    if calls is not None and type(calls) is not list:
        raise wrong_type("tool_calls to be a list", calls)
    read = [tool_call(call) for call in calls or ()]
    legacy = turn.get("function_call")
    if legacy is None or legacy == {}:
        return read
    # What OpenAI's API wrote before it had tools; some logs repeat it beside the list.
    old = tool_call(legacy)
    if not read:
        return [old]
    if any((call["name"], call["arguments"]) == (old["name"], old["arguments"]) for call in read):
        return read
    raise MisfitError(SkipReason.WRONG_TYPE, "function_call is not one of the tool_calls beside it")


def tool_call(call: Any) -> ToolCall:
    """One call. Raises MisfitError."""
    if type(call) is not dict:
        raise wrong_type("each tool call to be an object", call)
    function = call.get("function")
    if type(function) is str:
        return {"id": text_member(call, *_IDS), "name": function, "arguments": _arguments(call)}
    if function is None:
        function = call
    elif type(function) is not dict:
        raise wrong_type("a tool call's function to be an object", function)
    name = next((function[key] for key in _NAMES if function.get(key) is not None), None)
    if type(name) is not str:
        raise wrong_type("a tool call's name to be a text", name)
    return {"id": text_member(call, *_IDS), "name": name, "arguments": _arguments(function)}


def _arguments(holder: dict[str, Any]) -> str:
    given = [holder[key] for key in _ARGUMENTS if key in holder]
    used = [value for value in given if value not in _UNUSED]
    if len(used) > 1 and any(value != used[0] for value in used):
        raise MisfitError(SkipReason.WRONG_TYPE, "a tool call gives its arguments twice, and differently")
    if used:
        return _as_json(used[0])
    if not given and not holder.keys() <= _BESIDE:
        raise MisfitError(SkipReason.WRONG_TYPE, "a tool call whose arguments cannot be read")
    return NO_ARGUMENTS


def _as_json(value: Any) -> str:
    if type(value) is str:
        return value
    if type(value) is dict:
        return written_exactly(value)
    raise wrong_type("a tool call's arguments to be an object or its JSON text", value)


def is_unfinished(arguments: str) -> bool:
    """Whether the text is the beginning of a JSON value that was cut off."""
    text = arguments.strip()
    return text.startswith(("{", "[")) and brackets(text).is_open
