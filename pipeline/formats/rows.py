"""The formats: name, the export they are made from, and how one row is converted.

A converter gives the rows of its format, or a refusal when the row does not fit: a flat format
cannot hold a conversation (``needs_messages``). Formats carry what the trainer reads, and
where it does not disturb the trainer, ``id`` and ``split`` of the canonical row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from pipeline.formats.messages import chat_messages, with_objects
from pipeline.stages.refusals import QuarantineReason, Refusal
from pipeline.stages.transcript import flat_prompt

Row = dict[str, Any]
Converted = list[Row] | Refusal


@dataclass(frozen=True)
class Format:
    name: str
    export: Literal["sft", "preference"]
    help: str
    convert: Callable[[Row], Converted]
    has_split: bool = True
    """Whether its rows name their split; a format whose rows cannot is written as one file a split."""


def _origin(row: Row) -> Row:
    return {"id": row["id"], "split": row["split"]}


def _tools(row: Row) -> str | None:
    """JSON text, because no type of Arrow holds the schemas of different tools; null for none."""
    return row["tools"] or None


def _trl_conversational(row: Row) -> Converted:
    messages = with_objects(chat_messages(row["messages"]))
    if isinstance(messages, Refusal):
        return messages
    return [{"messages": messages, "tools": _tools(row), **_origin(row)}]


def _chat_jsonl(row: Row) -> Converted:
    messages = chat_messages(row["messages"])
    if not row["tools"]:
        return [{"messages": messages}]
    return [{"messages": messages, "tools": orjson.loads(row["tools"])}]


def _trl_prompt_completion(row: Row) -> Converted:
    if row["shape"] != "flat":
        return Refusal(QuarantineReason.NEEDS_MESSAGES)
    prompt = flat_prompt(row["instruction"], row["context"])
    return [{"prompt": prompt, "completion": row["response"], **_origin(row)}]


def _sides(row: Row) -> Row | Refusal:
    """Prompt, chosen and rejected of a pair as messages, and the tools of both."""
    sides: Row = {}
    for side in ("prompt", "chosen", "rejected"):
        messages = with_objects(chat_messages(row[side]))
        if isinstance(messages, Refusal):
            return messages
        sides[side] = messages
    return {**sides, "tools": _tools(row)}


def _trl_preference(row: Row) -> Converted:
    sides = _sides(row)
    return sides if isinstance(sides, Refusal) else [{**sides, **_origin(row)}]


def _trl_preference_plain(row: Row) -> Converted:
    if row["shape"] != "flat":
        return Refusal(QuarantineReason.NEEDS_MESSAGES)
    *context, instruction = [turn["content"] for turn in row["prompt"]]
    prompt = flat_prompt(instruction, "".join(context))
    answers = {side: row[side][0]["content"] for side in ("chosen", "rejected")}
    return [{"prompt": prompt, **answers, **_origin(row)}]


def _trl_unpaired(row: Row) -> Converted:
    sides = _sides(row)
    if isinstance(sides, Refusal):
        return sides
    return [
        {
            "prompt": sides["prompt"],
            "completion": sides[side],
            "label": label,
            "tools": sides["tools"],
            **_origin(row),
        }
        for side, label in (("chosen", True), ("rejected", False))
    ]


FORMATS: dict[str, Format] = {
    entry.name: entry
    for entry in (
        Format("trl-conversational", "sft", "TRL SFT: messages", _trl_conversational),
        Format(
            "trl-prompt-completion", "sft", "TRL SFT: prompt and completion as texts", _trl_prompt_completion
        ),
        Format(
            "chat-jsonl", "sft", "one conversation a line, messages only (OpenAI style)", _chat_jsonl, False
        ),
        Format("trl-preference", "preference", "TRL DPO: two sides, as messages", _trl_preference),
        Format(
            "trl-preference-plain",
            "preference",
            "TRL DPO: two sides, as texts",
            _trl_preference_plain,
        ),
        Format("trl-unpaired", "preference", "TRL KTO: prompt, completion, label", _trl_unpaired),
    )
}
