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

from pipeline.formats.format import NUMBER, TEXT, Columns
from pipeline.stages.refusals import QuarantineReason, Refusal

Message = dict[str, Any]

# A message whose arguments stay text, for loaders that know no JSON type: absent members are null.
TEXT_MESSAGE: Columns = {
    "role": TEXT,
    "content": TEXT,
    "reasoning_content": TEXT,
    "tool_calls": [{"id": TEXT, "type": TEXT, "function": {"name": TEXT, "arguments": TEXT}}],
    "tool_call_id": TEXT,
    "name": TEXT,
    "weight": NUMBER,
}


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
                arguments = argument_object(call["function"]["arguments"])
                if arguments is None:
                    return Refusal(QuarantineReason.ARGUMENTS_NOT_OBJECT)
                calls.append({**call, "function": {**call["function"], "arguments": arguments}})
            message = {**message, "tool_calls": calls}
        shaped.append(message)
    return shaped


def unlearnable(messages: list[Message]) -> Refusal | None:
    """Why turns that are to be learnt cannot be: a trainer without weights would learn them in full."""
    if any("weight" in message for message in messages):
        return Refusal(QuarantineReason.WEIGHT_UNSUPPORTED)
    return None


def without_weights(messages: list[Message]) -> list[Message]:
    """Of turns that no loss is taken on, the weights say nothing."""
    return [{key: value for key, value in message.items() if key != "weight"} for message in messages]


def text_only(messages: list[Message]) -> Refusal | None:
    """Why messages are more than role and text."""
    if any("tool_calls" in message or message["role"] == "tool" for message in messages):
        return Refusal(QuarantineReason.CALL_UNSUPPORTED)
    if any("reasoning_content" in message for message in messages):
        return Refusal(QuarantineReason.REASONING_UNSUPPORTED)
    return None


def tools_text(row: dict[str, Any]) -> str | None:
    """JSON text, because no type of Arrow holds the schemas of different tools; null for none."""
    return row["tools"] or None


def _chat_message(turn: Message) -> Message:
    """One turn with only the members that it has; arguments stay the JSON text they were."""
    shaped: Message = {"role": turn["role"], "content": turn["content"]}
    if turn["reasoning"]:
        shaped["reasoning_content"] = turn["reasoning"]
    if turn["tool_calls"]:
        shaped["tool_calls"] = [_call(call) for call in orjson.loads(turn["tool_calls"])]
    for name in ("tool_call_id", "name"):
        if turn[name]:
            shaped[name] = turn[name]
    if turn["role"] == "assistant" and turn["weight"] != 1:
        # A whole number where it is one: OpenAI's fine-tuning takes 0 and 1, and no 0.0.
        weight = turn["weight"]
        shaped["weight"] = int(weight) if weight == int(weight) else weight
    return shaped


def _call(call: dict[str, str]) -> Message:
    shaped: Message = {"id": call["id"]} if call["id"] else {}
    function = {"name": call["name"], "arguments": call["arguments"]}
    return {**shaped, "type": "function", "function": function}


def argument_object(text: str) -> dict[str, Any] | None:
    """Arguments as an object; a call without any has an empty one. None when they are something else.

    Also None where an object would not say what the text says: a repeated key, a number or half of
    a surrogate pair that the rows' writer cannot hold.
    """
    if not text.strip():
        return {}
    try:
        value = _DECODER.decode(text)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
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
