"""ExportMessage: one turn of an exported conversation, of one shape whatever the turn does.

Every member is always there and none is null or a list: a loader that takes its types from the
first rows of a file must find them true of the last one. Calls are JSON text for the same reason.
"""

from __future__ import annotations

from typing import Annotated, Literal

import orjson
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from pipeline.schemas.parts import Role, Row, Text

_CALL_MEMBERS = {"id", "name", "arguments"}

Shape = Literal["flat", "conversation"]


def are_calls(text: str) -> bool:
    """Empty, or a list of calls as JSON text: each with ``id``, ``name``, ``arguments``, all texts."""
    if not text:
        return True
    try:
        calls = orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return isinstance(calls, list) and bool(calls) and all(map(_is_call, calls))


def are_tools(text: str) -> bool:
    """Empty, or JSON text of what the model was offered: a list or an object that is not empty."""
    if not text:
        return True
    try:
        tools = orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return isinstance(tools, list | dict) and bool(tools)


def _calls(text: str) -> str:
    if not are_calls(text):
        raise PydanticCustomError("not_tool_calls", "Input should be empty or a list of calls as JSON text")
    return text


def _tools(text: str) -> str:
    if not are_tools(text):
        raise PydanticCustomError("not_tools", "Input should be empty or a list of tools as JSON text")
    return text


def calls_in(text: str) -> list[dict[str, str]]:
    """The calls of a turn that was validated; empty when it calls nothing."""
    calls: list[dict[str, str]] = orjson.loads(text) if text else []
    return calls


def _is_call(call: object) -> bool:
    return (
        isinstance(call, dict)
        and call.keys() == _CALL_MEMBERS
        and all(isinstance(value, str) for value in call.values())
    )


CallsText = Annotated[str, Field(min_length=0), AfterValidator(_calls)]
ToolsText = Annotated[str, Field(min_length=0), AfterValidator(_tools)]
# Codes joined by one space each; empty for none.
FlagsText = Annotated[str, Field(pattern=r"^([a-z][a-z0-9_]*( [a-z][a-z0-9_]*)*)?$")]


class ExportMessage(Row):
    """One turn of an exported conversation."""

    role: Role = Field(description="Who speaks.")
    content: Text = Field(description="Text of the turn; empty when it only calls tools.")
    tool_calls: CallsText = Field(
        description="Calls of the turn as JSON text, each with id, name and arguments (JSON text); or empty."
    )
    tool_call_id: Text = Field(description="For a tool's turn: the call that it answers; or empty.")
    name: Text = Field(description="Name of the speaker or tool, or empty.")
    reasoning: Text = Field(description="What the model thought before the turn, or empty.")
    weight: float = Field(description="How much the turn is to be learnt; 1.0 where the log says nothing.")


Conversation = Annotated[list[ExportMessage], Field(min_length=1)]
