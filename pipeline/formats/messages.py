"""Messages in the shape of the OpenAI chat API, which chat templates and trainers expect.

A member that a turn does not have is left out, because templates ask whether it is there; ``content``
is always a text, because many of them take its length.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

import orjson

from pipeline.stages.refusals import QuarantineReason, Refusal

Message = dict[str, Any]


def chat_messages(turns: Iterable[Message]) -> list[Message]:
    """The turns of an exported row; an assistant's turn without text and call is left out."""
    return [
        _chat_message(turn)
        for turn in turns
        if turn["role"] != "assistant" or turn["content"] or turn["tool_calls"]
    ]


def with_objects(messages: list[Message]) -> list[Message] | Refusal:
    """The messages with the arguments of calls as objects, as templates print them.

    A model that wrote something else than an object has said what no template can show.
    """
    shaped = []
    for message in messages:
        if "tool_calls" in message:
            calls = []
            for call in message["tool_calls"]:
                arguments = _object(call["function"]["arguments"])
                if arguments is None:
                    return Refusal(QuarantineReason.ARGUMENTS_NOT_OBJECT)
                calls.append({**call, "function": {**call["function"], "arguments": arguments}})
            message = {**message, "tool_calls": calls}
        shaped.append(message)
    return shaped


def _chat_message(turn: Message) -> Message:
    """One turn with only the members that it has; arguments stay the JSON text they were."""
    shaped: Message = {"role": turn["role"], "content": turn["content"]}
    if turn["tool_calls"]:
        shaped["tool_calls"] = [
            {
                "id": call["id"],
                "type": "function",
                "function": {"name": call["name"], "arguments": call["arguments"]},
            }
            for call in orjson.loads(turn["tool_calls"])
        ]
    for name in ("tool_call_id", "name"):
        if turn[name]:
            shaped[name] = turn[name]
    weight = turn.get("weight", 1.0)
    if weight != 1.0:
        # A whole number where it is one: OpenAI's fine-tuning takes 0 and 1, and no 0.0.
        shaped["weight"] = int(weight) if float(weight).is_integer() else weight
    return shaped


def _object(text: str) -> dict[str, Any] | None:
    """Arguments as an object; a call without any has an empty one. None when they are something else.

    Also None where an object would not say what the text says: a repeated key, a number that the
    rows' writer cannot hold.
    """
    if not text.strip():
        return {}
    try:
        value = _DECODER.decode(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("an object repeats a key")
    return value


def _integer(digits: str) -> int:
    number = int(digits)
    if not _SMALLEST <= number <= _LARGEST:
        raise ValueError("the integer is out of range")
    return number


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("the number is out of range")
    return number


_DECODER = json.JSONDecoder(
    object_pairs_hook=_once, parse_int=_integer, parse_float=_finite, parse_constant=_finite
)
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
