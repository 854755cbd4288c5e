"""What a row says, as test sets are looked for in it: by its users and by the model, turn by turn."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple


class Texts(NamedTuple):
    """What one run says in a row, turn by turn: its users, and the model. Sides are those of items."""

    prompt: list[str]
    answer: list[str]


def runs_of(row: dict[str, Any]) -> list[Texts]:
    """The texts of an SFT row or of evidence, and of a pair those of either run: never of both together."""
    if not row.get("chosen") and not row.get("rejected"):
        return [texts_of(row, ("messages",))]
    return [texts_of(row, ("prompt", side)) for side in ("chosen", "rejected")]


def texts_of(row: dict[str, Any], members: Sequence[str]) -> Texts:
    """Of a row of any version. A flat one says in three texts what its turns say, the context as the
    system turn. Beside the turns of an exported conversation they are views of it, until somebody writes
    another into them; its context is its system prompt, which is not looked at.
    """
    found = Texts([], [])
    shape, has_turns = row.get("shape"), bool(row.get("messages"))
    is_flat = shape == "flat"
    if shape or not has_turns:
        found.prompt.extend(_strings(row.get("instruction")))
        found.answer.extend(_strings(row.get("response")))
    if is_flat or not (shape or has_turns):
        found.prompt.extend(_strings(row.get("context")))
    for member in members:
        said = row.get(member)
        (found.prompt if member == "prompt" else found.answer).extend(_strings(said))
        for turn in said if isinstance(said, list) else ():
            if isinstance(turn, dict):
                _add_turn(found, turn, is_flat)
    return found


def _add_turn(found: Texts, turn: dict[str, Any], is_flat: bool) -> None:
    role = turn.get("role")
    if role == "user" or (role == "system" and is_flat):
        found.prompt.extend(_strings(turn.get("content")))
    if role != "assistant":
        return
    found.answer.extend(_strings(turn.get("content")))
    calls = turn.get("tool_calls")
    if isinstance(calls, str) and calls:
        try:
            calls = json.loads(calls)
        except ValueError:
            calls = ()
    for call in calls if isinstance(calls, list) else ():
        if isinstance(call, dict):
            found.answer.extend(_strings(call.get("arguments")))


def _strings(*values: object) -> list[str]:
    return [value for value in values if isinstance(value, str) and value]
