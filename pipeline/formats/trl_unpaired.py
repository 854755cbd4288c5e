"""``trl-unpaired``: one answer and whether it was accepted, for KTO. It holds rejected answers."""

from __future__ import annotations

from pipeline.formats.format import FLAG, JSON, TEXT, Format, Row
from pipeline.formats.messages import (
    TEXT_MESSAGE,
    chat_messages,
    tools_text,
    unlearnable,
    with_objects,
    without_weights,
)
from pipeline.stages.refusals import Refusal

_RECIPE = """\
from datasets import load_dataset
from trl import KTOConfig, KTOTrainer

data = load_dataset("{folder}")
args = KTOConfig(
    max_length={max_length},  # p99 and room to spare; what is longer is cut in silence
    desirable_weight=1.0,  # raise it where rejected rows outnumber accepted ones
)
trainer = KTOTrainer(model, args=args, train_dataset=data["train"], processing_class=tokenizer)
"""
KTO_ONLY = (
    "**For KTO only.** Rows whose label is false are answers that were rejected. SFT trainers read prompt "
    "and answer, ignore the label, and would train on them.",
)
_CAUTIONS = (
    *KTO_ONLY,
    "Of a conversation the answer is its last turn, and the prompt all before it: KTO takes loss on the "
    'whole completion. With `[export.preference] completion = "turns"` the answer is all from the first on.',
)


def _convert_text(row: Row) -> Row | Refusal:
    answer = chat_messages(row["completion"])
    refusal = unlearnable(answer)
    if refusal is not None:
        return refusal
    prompt = without_weights(chat_messages(row["prompt"]))
    return {"prompt": prompt, "completion": answer, "label": row["label"], "tools": tools_text(row)}


def _convert(row: Row) -> Row | Refusal:
    shaped = _convert_text(row)
    if isinstance(shaped, Refusal):
        return shaped
    for side in ("prompt", "completion"):
        messages = with_objects(shaped[side])
        if isinstance(messages, Refusal):
            return messages
        shaped[side] = messages
    return shaped


FORMATS = (
    Format(
        "trl-unpaired",
        "labelled",
        "TRL KTO only: all accepted and rejected runs with their label (datasets 4.7 or newer)",
        {"prompt": [JSON], "completion": [JSON], "label": FLAG, "tools": TEXT},
        _convert,
        _RECIPE,
        _CAUTIONS,
        has_id=True,
    ),
    Format(
        "trl-unpaired-text",
        "labelled",
        "the same with arguments as text, for older datasets; KTO only",
        {"prompt": [TEXT_MESSAGE], "completion": [TEXT_MESSAGE], "label": FLAG, "tools": TEXT},
        _convert_text,
        _RECIPE,
        _CAUTIONS,
        has_id=True,
    ),
)
