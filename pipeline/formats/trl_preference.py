"""``trl-preference`` and ``trl-preference-plain``: two answers to one prompt, for DPO."""

from __future__ import annotations

from pipeline.formats.format import JSON, TEXT, Format, Row
from pipeline.formats.messages import (
    TEXT_MESSAGE,
    Message,
    chat_messages,
    text_only,
    tools_text,
    unlearnable,
    with_objects,
    without_weights,
)
from pipeline.stages.refusals import QuarantineReason, Refusal
from pipeline.stages.transcript import flat_prompt

SIDES = ("chosen", "rejected")

_RECIPE = """\
from datasets import load_dataset
from trl import DPOConfig, DPOTrainer

data = load_dataset("{folder}")
args = DPOConfig(
    max_length={max_length},  # p99 and room to spare; what is longer is cut in silence
)
trainer = DPOTrainer(model, args=args, train_dataset=data["train"], processing_class=tokenizer)
"""
_CAUTIONS = (
    'DPO takes loss on all of `chosen` and `rejected`. With `[export.preference] completion = "turns"` they '
    "hold turns of users and tools; with `first_turn`, the default, one turn of the model.",
)


def _sides(row: Row) -> dict[str, list[Message]] | Refusal:
    """Prompt, chosen and rejected of a pair as messages, arguments as text."""
    sides = {side: chat_messages(row[side]) for side in SIDES}
    for messages in sides.values():
        refusal = unlearnable(messages)
        if refusal is not None:
            return refusal
    return {"prompt": without_weights(chat_messages(row["prompt"])), **sides}


def _convert_text(row: Row) -> Row | Refusal:
    sides = _sides(row)
    return sides if isinstance(sides, Refusal) else {**sides, "tools": tools_text(row)}


def _convert(row: Row) -> Row | Refusal:
    sides = _sides(row)
    if isinstance(sides, Refusal):
        return sides
    shaped: Row = {}
    for side, turns in sides.items():
        messages = with_objects(turns)
        if isinstance(messages, Refusal):
            return messages
        shaped[side] = messages
    return {**shaped, "tools": tools_text(row)}


def _convert_plain(row: Row) -> Row | Refusal:
    if row["shape"] != "flat":
        return Refusal(QuarantineReason.NEEDS_MESSAGES)
    sides = _sides(row)
    if isinstance(sides, Refusal):
        return sides
    refusal = text_only([turn for turns in sides.values() for turn in turns])
    if refusal is not None:
        return refusal
    if row["tools"]:
        return Refusal(QuarantineReason.NEEDS_MESSAGES, "tools")
    *context, instruction = [turn["content"] for turn in sides["prompt"]]
    answers = {side: sides[side][0]["content"] for side in SIDES}
    return {"prompt": flat_prompt(instruction, "".join(context)), **answers}


FORMATS = (
    Format(
        "trl-preference",
        "preference",
        "TRL DPO: two sides as messages, and tools; arguments as objects (datasets 4.7 or newer)",
        {"prompt": [JSON], "chosen": [JSON], "rejected": [JSON], "tools": TEXT},
        _convert,
        _RECIPE,
        _CAUTIONS,
        has_id=True,
    ),
    Format(
        "trl-preference-text",
        "preference",
        "the same with arguments as text, for older datasets",
        {"prompt": [TEXT_MESSAGE], "chosen": [TEXT_MESSAGE], "rejected": [TEXT_MESSAGE], "tools": TEXT},
        _convert_text,
        _RECIPE,
        (
            "Arguments of calls are JSON text: parse them before you render, and take members that are None "
            "out of each message.",
            *_CAUTIONS,
        ),
        has_id=True,
    ),
    Format(
        "trl-preference-plain",
        "preference",
        "TRL DPO: two sides as texts; refuses conversations",
        {"prompt": TEXT, "chosen": TEXT, "rejected": TEXT},
        _convert_plain,
        _RECIPE,
        ("Texts are not rendered with a chat template: for a chat model take `trl-preference`.",),
        has_id=True,
    ),
)
