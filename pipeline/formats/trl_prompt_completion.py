"""``trl-prompt-completion``: SFT by one question and one answer."""

from __future__ import annotations

from pipeline.formats.format import TEXT, Format, Row
from pipeline.formats.messages import chat_messages, text_only, tools_text, unlearnable
from pipeline.stages.refusals import QuarantineReason, Refusal

_RECIPE = """\
from datasets import load_dataset
from trl import SFTConfig, SFTTrainer

data = load_dataset("{folder}")
args = SFTConfig(
    completion_only_loss=True,  # the default for this shape: loss on the answer alone
    max_length={max_length},  # p99 and room to spare; what is longer is cut in silence
    packing=False,
)
trainer = SFTTrainer(model, args, train_dataset=data["train"], processing_class=tokenizer)
"""


_MESSAGE = {"role": TEXT, "content": TEXT}


def _convert(row: Row) -> Row | Refusal:
    if row["shape"] != "flat":
        return Refusal(QuarantineReason.NEEDS_MESSAGES)
    messages = chat_messages(row["messages"])
    refusal = text_only(messages) or unlearnable(messages)
    if refusal is not None:
        return refusal
    return {"prompt": messages[:-1], "completion": messages[-1:], "tools": tools_text(row)}


FORMATS = (
    Format(
        "trl-prompt-completion",
        "sft",
        "TRL SFT: one question, one answer; refuses conversations",
        {"prompt": [_MESSAGE], "completion": [_MESSAGE], "tools": TEXT},
        _convert,
        _RECIPE,
        ("Conversations are not in here (`needs_messages`): take `trl-conversational` for them.",),
        has_id=True,
    ),
)
