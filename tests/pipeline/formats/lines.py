"""Canonical rows for these tests, and the golden lines that trainers' own documentation and readers give."""

from __future__ import annotations

import json
from typing import Any

from pipeline.formats.format import Row
from pipeline.formats.registry import FORMATS
from pipeline.stages.export_messages import exported_messages
from pipeline.stages.export_preference import preference_row
from pipeline.stages.export_sft import sft_row
from pipeline.stages.refusals import Refusal
from tests.pipeline.stages.builders import OPTIONS, conversation, evidence, scored, turn

TOOLS: list[dict[str, Any]] = [
    {
        "type": "function",
        "function": {
            "name": "w",
            "description": "weather",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        },
    }
]
TOOLS_TEXT = json.dumps(TOOLS)

ASKED = turn("user", "Rain in Oslo?")
CALL = turn("assistant", None, ("w", '{"city":"Oslo"}'))
RESULT = turn("tool", "rain", tool_call_id="call-0", name="w")
ANSWER = turn("assistant", "Yes.")


def sft(row: Row) -> Row:
    made = sft_row(row, scored(row, "accepted"), OPTIONS)
    assert not isinstance(made, Refusal)
    return made


def chat(*turns: Row, run: int = 1, **fields: Any) -> Row:
    """The SFT row of a conversation."""
    return sft(conversation(run, *turns, **fields))


def with_tools() -> Row:
    return {**chat(ASKED, CALL, RESULT, ANSWER), "tools": TOOLS_TEXT}


def flat(question: str = "2+2?", answer: str = "4", context: str | None = None) -> Row:
    return sft(evidence(instruction=question, response=answer, context=context))


def pair(good: Row, bad: Row) -> Row:
    made = preference_row(good, scored(good, "accepted"), bad, scored(bad, "rejected"), OPTIONS)
    assert not isinstance(made, Refusal)
    return made


def flat_pair(context: str | None = None) -> Row:
    asked = {"instruction": "2+2?", "context": context}
    return pair(evidence(1, response="4", **asked), evidence(2, response="5", **asked))


def chat_pair(good: list[Row], bad: list[Row], *prompt: Row) -> Row:
    """A pair of conversations that share ``prompt``; both sides stand as they are given."""
    asked = prompt or (ASKED,)
    row = pair(
        conversation(1, *asked, turn("assistant", "one")), conversation(2, *asked, turn("assistant", "other"))
    )
    return {**row, "chosen": exported_messages(good), "rejected": exported_messages(bad)}


def labelled(label: bool, *prompt: Row, answer: Row = ANSWER, shape: str = "conversation") -> Row:
    return {
        "id": "kto-0123456789abcdef",
        "shape": shape,
        "prompt": exported_messages(prompt),
        "completion": exported_messages([answer]),
        "label": label,
        "tools": "",
        "estimated_tokens": 10,
        "split": "train",
    }


def convert(name: str, row: Row) -> Row | Refusal:
    return FORMATS[name].convert(row)


def reason(name: str, row: Row) -> str | None:
    """Why a format refuses a row, None when it takes it."""
    made = convert(name, row)
    return made.reason.value if isinstance(made, Refusal) else None
