"""Turns as the exports write them: one shape for every turn, nothing null, no list that may be empty.

A loader takes its types from the first rows of a file. So a member is always there, an absent
text is ``""``, and the calls of a turn, the tools and the tags are texts.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from pipeline.contracts.lint import RewardHack
from pipeline.stages.transcript import Message

DEFAULT_WEIGHT = 1.0
_REWARD_HACKS = frozenset(sign.value for sign in RewardHack)


def exported_messages(turns: Iterable[Message]) -> list[Message]:
    """The turns of a run, as evidence holds them, in the shape of the exports."""
    return [
        {
            "role": turn["role"],
            "content": turn["content"] or "",
            "tool_calls": calls_text(turn["tool_calls"]),
            "tool_call_id": turn["tool_call_id"] or "",
            "name": turn["name"] or "",
            # Rows of exports of version 1 have neither.
            "reasoning": turn.get("reasoning") or "",
            "weight": _weight(turn.get("weight")),
        }
        for turn in turns
    ]


def flat_messages(instruction: str, context: str, response: str) -> list[Message]:
    """A flat run as turns: what was given as the system's, what was asked, what was answered."""
    asked = [_says("system", context)] if context else []
    return [*asked, _says("user", instruction), _says("assistant", response)]


def calls_text(calls: list[dict[str, Any]] | None) -> str:
    """Calls as JSON text, their arguments JSON text inside; ``""`` for none."""
    if not calls:
        return ""
    return orjson.dumps(
        [{"id": call["id"] or "", "name": call["name"], "arguments": call["arguments"]} for call in calls]
    ).decode()


def joined_tags(tags: Iterable[str]) -> str:
    """Labels in one text, a space between two of them; white space inside a label becomes ``-``."""
    return " ".join(filter(None, ("-".join(tag.split()) for tag in tags)))


def joined_flags(flags: Iterable[str]) -> str:
    """What the log does not say, as codes in one text, a space between two of them.

    Signs of a reward hack stay with the evidence: they are for whoever looks at runs, and no export
    changes when one more of them is known.
    """
    return " ".join(flag for flag in flags if flag not in _REWARD_HACKS)


def _says(role: str, text: str) -> Message:
    return {
        "role": role,
        "content": text,
        "tool_calls": "",
        "tool_call_id": "",
        "name": "",
        "reasoning": "",
        "weight": DEFAULT_WEIGHT,
    }


def _weight(recorded: float | None) -> float:
    return DEFAULT_WEIGHT if recorded is None else float(recorded)
