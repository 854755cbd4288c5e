"""``axolotl`` and ``axolotl-preference``: arguments as text, and ``train`` says which turns are learnt."""

from __future__ import annotations

from pipeline.formats.format import FLAG, TEXT, Format, Row
from pipeline.formats.messages import (
    TEXT_MESSAGE,
    Message,
    argument_object,
    chat_messages,
    text_only,
    tools_text,
    unlearnable,
    without_weights,
)
from pipeline.stages.refusals import QuarantineReason, Refusal

_MESSAGE = {
    "role": TEXT,
    "content": TEXT,
    "train": FLAG,
    **{name: kind for name, kind in TEXT_MESSAGE.items() if name not in ("role", "content", "weight")},
}
_ANSWER = {"role": TEXT, "content": TEXT}

_RECIPE = """\
datasets:
  - path: {folder}
    ds_type: {loader}
    type: chat_template
    field_messages: messages
    message_field_training: train
    field_tools: tools
    roles_to_train: []  # `train` of each turn decides
    train_on_eos: turn
sequence_len: {max_length}
excess_length_strategy: drop  # else the end is cut off
sample_packing: false
"""
_PREFERENCE_RECIPE = """\
rl: dpo
datasets:
  - path: {folder}
    ds_type: {loader}
    type: chat_template.default
sequence_len: {max_length}
"""


def _convert(row: Row) -> Row | Refusal:
    messages = []
    for message in chat_messages(row["messages"]):
        shaped: Message = {"role": message["role"], "content": message["content"]}
        if message["role"] == "assistant":
            weight = message.get("weight", 1)
            if weight not in (0, 1):
                return Refusal(QuarantineReason.WEIGHT_UNSUPPORTED)
            shaped["train"] = bool(weight)
        for name, value in message.items():
            if name != "weight":
                shaped.setdefault(name, value)
        for call in shaped.get("tool_calls", ()):
            # It parses the text, and stops at one that it cannot read.
            if argument_object(call["function"]["arguments"]) is None:
                return Refusal(QuarantineReason.ARGUMENTS_NOT_OBJECT)
            call["function"]["arguments"] = call["function"]["arguments"].strip() or "{}"
        messages.append(shaped)
    return {"tools": tools_text(row), "messages": messages}


def _convert_preference(row: Row) -> Row | Refusal:
    """Its reader keeps role and content of each message, so that only texts can be held whole."""
    prompt, chosen, rejected = (chat_messages(row[side]) for side in ("prompt", "chosen", "rejected"))
    if len(chosen) != 1 or len(rejected) != 1:
        return Refusal(QuarantineReason.NEEDS_ONE_TURN)
    refusal = text_only([*prompt, *chosen, *rejected]) or unlearnable([*chosen, *rejected])
    if refusal is not None:
        return refusal
    if row["tools"]:
        return Refusal(QuarantineReason.CALL_UNSUPPORTED, "tools")
    return {
        "messages": [_only_text(message) for message in without_weights(prompt)],
        "chosen": _only_text(chosen[0]),
        "rejected": _only_text(rejected[0]),
    }


def _only_text(message: Message) -> Message:
    return {name: message[name] for name in _ANSWER}


FORMATS = (
    Format(
        "axolotl",
        "sft",
        "axolotl, type chat_template: train on each turn, tools and arguments as text",
        {"tools": TEXT, "messages": [_MESSAGE]},
        _convert,
        _RECIPE,
        (
            "`train` is true on the assistant's turns and false on those of weight 0; without "
            "`message_field_training: train` all of them are learnt.",
        ),
    ),
    Format(
        "axolotl-preference",
        "preference",
        "axolotl, type chat_template.default: one text turn a side",
        {"messages": [_ANSWER], "chosen": _ANSWER, "rejected": _ANSWER},
        _convert_preference,
        _PREFERENCE_RECIPE,
    ),
)
