"""The tools that a model was offered, however a log spells them, to the shape that trainers take.

That is a list of ``{"type": "function", "function": {"name", "description", "parameters"}}``. A log
that has it already is kept as it is, a text to the byte. Definitions of the flat kind (OpenAI's
Responses, its ``functions``, Anthropic's ``input_schema``) become it. Whatever else, a list of
names say, is kept as the log has it.
"""

from __future__ import annotations

from typing import Any

from pipeline.streams.misfit import wrong_type
from pipeline.streams.texts import parsed_exactly, written_exactly

_SCHEMAS = ("parameters", "input_schema", "inputSchema")


def tools_text(value: Any) -> str | None:
    """JSON text, or None for an empty list: the model was offered no tools. Raises MisfitError."""
    text = None
    if type(value) is str:
        text, value = value, parsed_exactly(value)
    if type(value) is not list and type(value) is not dict:
        raise wrong_type("a list of tools", value)
    if not value:
        return None
    shaped = _shaped(value)
    if shaped is not None:
        return written_exactly(shaped)
    return written_exactly(value) if text is None else text


def _shaped(value: list[Any] | dict[str, Any]) -> list[Any] | None:
    """The definitions in the common shape, or None where they have it or cannot be brought to it."""
    tools = [value] if type(value) is dict and "name" in value else value
    if type(tools) is not list:
        return None
    shaped = [_definition(tool) for tool in tools]
    if any(tool is None for tool in shaped) or shaped == tools:
        return None
    return shaped


def _definition(tool: Any) -> dict[str, Any] | None:
    if type(tool) is not dict:
        return None
    if type(tool.get("function")) is dict:
        return tool
    schema = next((name for name in _SCHEMAS if type(tool.get(name)) is dict), None)
    if type(tool.get("name")) is not str or schema is None:
        return None
    function = {name: inner for name, inner in tool.items() if name != "type" and name not in _SCHEMAS}
    return {"type": "function", "function": {**function, "parameters": tool[schema]}}
