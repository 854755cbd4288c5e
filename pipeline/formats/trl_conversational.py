"""``trl-conversational``: SFT by whole conversations, with tools."""

from __future__ import annotations

from pipeline.formats.format import JSON, TEXT, Format, Row
from pipeline.formats.messages import TEXT_MESSAGE, chat_messages, tools_text, with_objects
from pipeline.stages.refusals import Refusal

_RECIPE = """\
from datasets import load_dataset
from trl import SFTConfig, SFTTrainer

data = load_dataset("{folder}")
data = data.filter(lambda row: all(turn.get("weight") != 0 for turn in row["messages"]))
args = SFTConfig(
    assistant_only_loss=True,  # else loss is taken on users and tools too
    max_length={max_length},  # p99 and room to spare; what is longer is cut in silence
    packing=False,
)
trainer = SFTTrainer(model, args, train_dataset=data["train"], processing_class=tokenizer)
"""
_CAUTIONS = (
    "`assistant_only_loss` needs a chat template with `{% generation %}`; TRL brings one for the models that "
    "it knows (`trl.chat_template_utils.get_training_chat_template`).",
    "TRL does not read `weight`. A row with a turn that must not be learnt (`weight: 0`) is kept here, and "
    "the filter in the recipe leaves it out; `axolotl` and `chat-jsonl` are for trainers that read weights.",
)


def _convert(row: Row) -> Row | Refusal:
    messages = with_objects(chat_messages(row["messages"]))
    if isinstance(messages, Refusal):
        return messages
    return {"messages": messages, "tools": tools_text(row)}


def _convert_text(row: Row) -> Row:
    return {"messages": chat_messages(row["messages"]), "tools": tools_text(row)}


FORMATS = (
    Format(
        "trl-conversational",
        "sft",
        "TRL SFT: messages and tools; arguments as objects (datasets 4.7 or newer)",
        {"messages": [JSON], "tools": TEXT},
        _convert,
        _RECIPE,
        (
            "A few chat templates join arguments to other text and fail on objects (DeepSeek-V3's is one): "
            "take `trl-conversational-text` for them.",
            *_CAUTIONS,
        ),
        has_id=True,
    ),
    Format(
        "trl-conversational-text",
        "sft",
        "the same with arguments as text, for older datasets",
        {"messages": [TEXT_MESSAGE], "tools": TEXT},
        _convert_text,
        _RECIPE,
        (
            "Arguments of calls are JSON text, which many chat templates print as a quoted string: parse "
            "them before you render, and take members that are None out of each message.",
            *_CAUTIONS,
        ),
        has_id=True,
    ),
)
