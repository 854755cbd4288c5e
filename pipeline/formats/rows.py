"""The formats: name, the export they are made from, and how one row is converted.

A converter gives the rows of its format, or a refusal when the row does not fit: a flat format
cannot hold a conversation (``needs_messages``). Formats carry what the trainer reads, and
where it does not disturb the trainer, ``id`` and ``split`` of the canonical row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pipeline.formats.messages import assistant_says, chat_messages, conversation_of, user_says
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


def _trl_conversational(row: Row) -> Converted:
    return [{"messages": conversation_of(row), **_origin(row)}]


def _chat_jsonl(row: Row) -> Converted:
    return [{"messages": conversation_of(row)}]


def _trl_prompt_completion(row: Row) -> Converted:
    if row["messages"] is not None:
        return Refusal(QuarantineReason.NEEDS_MESSAGES)
    prompt = flat_prompt(row["instruction"], row["context"])
    return [{"prompt": prompt, "completion": row["response"], **_origin(row)}]


def _sides(row: Row) -> Row:
    """Prompt, chosen and rejected of a pair as messages; texts become one message each."""
    if isinstance(row["prompt"], str):
        return {
            "prompt": [user_says(row["prompt"])],
            "chosen": [assistant_says(row["chosen"])],
            "rejected": [assistant_says(row["rejected"])],
        }
    return {side: chat_messages(row[side]) for side in ("prompt", "chosen", "rejected")}


def _trl_preference(row: Row) -> Converted:
    return [{**_sides(row), **_origin(row)}]


def _trl_preference_plain(row: Row) -> Converted:
    if not isinstance(row["prompt"], str):
        return Refusal(QuarantineReason.NEEDS_MESSAGES)
    return [{**{side: row[side] for side in ("prompt", "chosen", "rejected")}, **_origin(row)}]


def _trl_unpaired(row: Row) -> Converted:
    sides = _sides(row)
    return [
        {"prompt": sides["prompt"], "completion": sides[side], "label": label, **_origin(row)}
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
