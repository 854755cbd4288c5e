"""A row in a trainer's format, as what was asked and what was answered, whichever shape holds it.

Formats write the same conversation in many ways: turns joined, a context as the system's turn, arguments
as text or as an object. So a row becomes a key of who speaks when, model or not, and of all characters
but white space; nothing else may differ between a row and the one that it was made of. A member that no
format writes is refused: a loader that looks for its name would read it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from hashlib import blake2b
from typing import Any, NamedTuple

from pipeline.contracts.untrusted import visible
from pipeline.firewall import strict_json
from pipeline.firewall.call_forms import arguments_form
from pipeline.firewall.conversation import Message, calls_of, text_of
from pipeline.firewall.strict_json import UnreadableError

_KEY_BYTES = 16
_QUOTED = 40
# What each role is called, in the chat API and in sharegpt; only the model's own turns are answers.
_IS_ANSWER = {
    "system": False, "user": False, "tool": False, "assistant": True,
    "human": False, "observation": False, "gpt": True, "function_call": True,
}  # fmt: skip
_TURN_MEMBERS = frozenset((
    "role", "content", "reasoning_content", "tool_calls", "tool_call_id", "name", "weight", "train",
    "from", "value",
))  # fmt: skip
_ORIGIN = frozenset(("id", "split"))


class Kind(StrEnum):
    """What a row is: an answer to be learnt, one with a label, or two answers to one prompt."""

    WHOLE = "whole"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    PAIR = "pair"


class Line(NamedTuple):
    """One turn. ``weight`` is how much of it is learnt, of an answer."""

    is_answer: bool
    text: str
    calls: tuple[tuple[str, str], ...] = ()
    weight: float = 1.0


def key(kind: Kind, tools: object, *parts: Iterable[Line]) -> bytes:
    """16 bytes of what is said; of a pair the prompt and both answers are parts of their own."""
    said = [kind.value, _json_form(tools)]
    for part in parts:
        said += ["part", *_said(part, with_weights=kind is Kind.WHOLE)]
    hasher = blake2b(digest_size=_KEY_BYTES)
    for piece in said:
        data = piece.encode("utf-8", "surrogatepass")
        hasher.update(len(data).to_bytes(8, "little") + data)
    return hasher.digest()


def read(row: object) -> tuple[Kind, bytes]:
    """What a row of any format is and says. Raises UnreadableError for one of no format."""
    if not isinstance(row, dict):
        raise UnreadableError("not an object")
    row = {name: value for name, value in row.items() if value is not None}
    for members, reader in _SHAPES:
        if members <= row.keys():
            kind, rest, parts = reader(row)
            others = sorted(row.keys() - members - rest - _ORIGIN)
            if others:
                raise UnreadableError(
                    f"it has a field that no format writes: '{visible(others[0], _QUOTED)}'"
                )
            return kind, key(kind, row.get("tools"), *parts)
    raise UnreadableError("it has the shape of no format")


def lines_of(messages: Sequence[Message]) -> list[Line]:
    """The turns of an export or of evidence."""
    return [
        Line(
            message.role == "assistant",
            "".join((text_of(message.reasoning) or "", text_of(message.content) or "")),
            tuple((name, _json_form(given)) for name, given in calls_of(message)),
            1.0 if not isinstance(message.weight, (int, float)) else float(message.weight),
        )
        for message in messages
    ]


def of_texts(asked: Iterable[str], answer: str) -> list[Line]:
    return [*(Line(False, text) for text in asked), Line(True, answer)]


_Shape = tuple[Kind, frozenset[str], list[list[Line]]]


def _of_conversation(row: Mapping[str, Any]) -> _Shape:
    return Kind.WHOLE, frozenset(("tools",)), [_turns(row["messages"])]


def _of_plain_pair(row: Mapping[str, Any]) -> _Shape:
    parts = [_turns(row["prompt"], False), _turns(row["chosen"], True), _turns(row["rejected"], True)]
    return Kind.PAIR, frozenset(("tools",)), parts


def _of_axolotl_pair(row: Mapping[str, Any]) -> _Shape:
    return (
        Kind.PAIR,
        frozenset(),
        [_turns(row["messages"]), _turns([row["chosen"]]), _turns([row["rejected"]])],
    )


def _of_openai_pair(row: dict[str, Any]) -> _Shape:
    asked = row["input"]
    if not isinstance(asked, dict) or asked.keys() - {"messages", "tools", "parallel_tool_calls"}:
        raise UnreadableError("its input is that of no format")
    row["tools"] = asked.get("tools")
    sides = [_turns(row[name]) for name in ("preferred_output", "non_preferred_output")]
    return Kind.PAIR, frozenset(("tools",)), [_turns(asked.get("messages")), *sides]


def _of_prompt_and_completion(row: Mapping[str, Any]) -> _Shape:
    label = row.get("label")
    kind = Kind.WHOLE if "label" not in row else Kind.ACCEPTED if label is True else Kind.REJECTED
    turns = [*_turns(row["prompt"], False), *_turns(row["completion"], True)]
    return kind, frozenset(("tools", "label")), [turns]


def _of_sharegpt(row: Mapping[str, Any]) -> _Shape:
    told = row.get("system", "")
    asked = [Line(False, _text(told)), *_turns(row["conversations"])]
    beside = frozenset(("system", "tools"))
    if "chosen" in row or "rejected" in row:
        sides = [_turns([row.get(name)]) for name in ("chosen", "rejected")]
        return Kind.PAIR, beside | {"chosen", "rejected"}, [asked, *sides]
    if "kto_tag" not in row:
        return Kind.WHOLE, beside, [asked]
    return Kind.ACCEPTED if row["kto_tag"] is True else Kind.REJECTED, beside | {"kto_tag"}, [asked]


def _of_alpaca(row: Mapping[str, Any]) -> _Shape:
    asked = [_text(row.get(name, "")) for name in ("system", "instruction", "input")]
    return Kind.WHOLE, frozenset(("system", "input")), [of_texts(asked, _text(row["output"]))]


# The members that tell a shape; the first that fits is read.
_SHAPES = (
    (frozenset(("messages", "chosen", "rejected")), _of_axolotl_pair),
    (frozenset(("prompt", "chosen", "rejected")), _of_plain_pair),
    (frozenset(("input", "preferred_output", "non_preferred_output")), _of_openai_pair),
    (frozenset(("prompt", "completion")), _of_prompt_and_completion),
    (frozenset(("conversations",)), _of_sharegpt),
    (frozenset(("messages",)), _of_conversation),
    (frozenset(("instruction", "output")), _of_alpaca),
)


def _turns(value: object, is_answer: bool = False) -> list[Line]:
    """Turns of the chat API or of sharegpt; a text is one turn."""
    if isinstance(value, str):
        return [Line(is_answer, value)]
    if not isinstance(value, list):
        raise UnreadableError("its turns are no list")
    return [_turn(strict_json.read(each.encode()) if isinstance(each, str) else each) for each in value]


def _turn(value: object) -> Line:
    if not isinstance(value, dict):
        raise UnreadableError("it holds something that is no turn")
    value = {name: member for name, member in value.items() if member is not None}
    others = sorted(value.keys() - _TURN_MEMBERS)
    if others:
        raise UnreadableError(f"a turn has a field that no format writes: '{visible(others[0], _QUOTED)}'")
    role = value.get("from", value.get("role"))
    if role not in _IS_ANSWER or ("from" in value) == ("role" in value):
        raise UnreadableError("a turn has a role that no format writes")
    if role == "function_call":
        return Line(True, "", tuple(_sharegpt_calls(_text(value.get("value", "")))))
    text = _text(value.get("value", value.get("content", "")))
    weight = value.get("weight", value.get("train", 1.0))
    if not isinstance(weight, (int, float)):
        raise UnreadableError("a weight is no number")
    thought = _text(value.get("reasoning_content", ""))
    calls = tuple(_calls(value.get("tool_calls", ())))
    return Line(_IS_ANSWER[role], thought + text, calls, float(weight))


def _calls(value: object) -> Iterator[tuple[str, str]]:
    for call in value if isinstance(value, (list, tuple)) else [None]:
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict):
            raise UnreadableError("it holds something that is no call")
        yield _text(function.get("name")), _json_form(function.get("arguments"))


def _sharegpt_calls(text: str) -> Iterator[tuple[str, str]]:
    value = strict_json.read(text.encode())
    for call in value if isinstance(value, list) else [value]:
        if not isinstance(call, dict):
            raise UnreadableError("it holds something that is no call")
        yield _text(call.get("name")), _json_form(call.get("arguments"))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise UnreadableError("it has no text where a format has one")
    return value


def _json_form(value: object) -> str:
    """Arguments or definitions in one form, however they are written; numbers as a trainer reads them."""
    if isinstance(value, str):
        try:
            value = strict_json.read(value.encode("utf-8", "surrogatepass"))
        except UnreadableError:
            return arguments_form(str(value))
    return "" if value in (None, [], {}) else arguments_form(json.dumps(value))


def _said(lines: Iterable[Line], *, with_weights: bool) -> Iterator[str]:
    """Who speaks when and what is said: turns of one side in a row as one, an answer of nothing as none."""
    before: bool | None = None
    text: list[str] = []
    for line in lines:
        words = "".join(line.text.split())
        if line.is_answer and not words and not line.calls:
            continue
        if line.is_answer is not before:
            yield "".join(text)
            yield "answer" if line.is_answer else "asked"
            text, before = [], line.is_answer
        text.append(words)
        for call in line.calls:
            yield from ("call", *call)
        if with_weights and line.is_answer:
            yield str(line.weight)
    yield "".join(text)
