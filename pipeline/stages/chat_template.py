"""Whether a chat template takes a conversation: it is rendered as a trainer's tokenizer would.

Jinja runs in its sandbox, and what it is given has no clock: the same conversation is taken or
refused on any day. Needs the optional library ``jinja2``, asked for when a template is compiled.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from pipeline.stages.transcript import Message

# The day that every template is told it is.
_TODAY = datetime(2000, 1, 1, tzinfo=UTC)
Render = Callable[[list[dict[str, Any]], list[Any] | None], str]


class TemplateRefusedError(Exception):
    """Of a template's own ``raise_exception``."""


def compile_template(source: str) -> Render:
    """Raises ImportError without jinja2, ValueError (with ``line N: …``) for what is no template."""
    from jinja2 import TemplateSyntaxError
    from jinja2.ext import Extension
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Generation(Extension):
        """``{% generation %}`` marks what a trainer takes loss on; what stands in it is rendered as it is."""

        tags = {"generation"}  # noqa: RUF012 the name and type that jinja2 reads

        def parse(self, parser: Any) -> Any:
            next(parser.stream)
            return parser.parse_statements(("name:endgeneration",), drop_needle=True)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols", Generation]
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _refuse
    environment.globals["strftime_now"] = _TODAY.strftime
    try:
        template = environment.from_string(source)
    except TemplateSyntaxError as error:
        raise ValueError(f"line {error.lineno}: {error.message}") from error

    def render(messages: list[dict[str, Any]], tools: list[Any] | None) -> str:
        return template.render(
            messages=messages, tools=tools, add_generation_prompt=False, bos_token="", eos_token=""
        )

    return render


def refuses(render: Render, messages: list[Message], tools: str | None) -> str | None:
    """What the template raises over a conversation of evidence, by its kind; None when it takes it."""
    try:
        render([_shaped(turn) for turn in messages], json.loads(tools) if tools else None)
    except TemplateRefusedError:
        return "raise_exception"
    except Exception as error:  # noqa: BLE001 a template can raise whatever Python can
        return type(error).__name__
    return None


def _shaped(turn: Message) -> dict[str, Any]:
    """A turn as trainers hand it to a template: with the members that it has, arguments as objects."""
    shaped: dict[str, Any] = {"role": turn["role"], "content": turn["content"] or ""}
    if turn["tool_calls"]:
        shaped["tool_calls"] = [
            {
                **({"id": call["id"]} if call["id"] else {}),
                "type": "function",
                "function": {"name": call["name"], "arguments": _arguments(call["arguments"])},
            }
            for call in turn["tool_calls"]
        ]
    if turn["reasoning"]:
        shaped["reasoning_content"] = turn["reasoning"]
    shaped.update({name: turn[name] for name in ("tool_call_id", "name") if turn[name]})
    return shaped


def _arguments(text: str) -> Any:
    try:
        return json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError):
        return text


def _to_json(value: Any, ensure_ascii: bool = False, indent: int | None = None, **_others: Any) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent)


def _refuse(message: object = "") -> None:
    raise TemplateRefusedError(str(message))
