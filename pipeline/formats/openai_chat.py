"""``chat-jsonl`` and ``openai-preference``: the shapes of the OpenAI API."""

from __future__ import annotations

import orjson

from pipeline.formats.format import FLAG, JSON_TEXT, TEXT, Format, Row
from pipeline.formats.messages import TEXT_MESSAGE, chat_messages, text_only, unlearnable, without_weights
from pipeline.stages.refusals import QuarantineReason, Refusal

_PLAIN_MESSAGE = {"role": TEXT, "content": TEXT, "name": TEXT}


def _convert_chat(row: Row) -> Row | Refusal:
    messages = chat_messages(row["messages"])
    if any(message.get("weight", 1) not in (0, 1) for message in messages):
        return Refusal(QuarantineReason.WEIGHT_UNSUPPORTED)
    shaped: Row = {"messages": messages}
    if row["tools"]:
        shaped["tools"] = orjson.loads(row["tools"])
    return shaped


def _convert_preference(row: Row) -> Row | Refusal:
    """One turn a side, texts alone: all that the format has room for."""
    prompt, chosen, rejected = (chat_messages(row[side]) for side in ("prompt", "chosen", "rejected"))
    if len(chosen) != 1 or len(rejected) != 1:
        return Refusal(QuarantineReason.NEEDS_ONE_TURN)
    refusal = text_only([*prompt, *chosen, *rejected]) or unlearnable([*chosen, *rejected])
    if refusal is not None:
        return refusal
    return {
        "input": {
            "messages": without_weights(prompt),
            "tools": orjson.loads(row["tools"]) if row["tools"] else [],
            "parallel_tool_calls": True,
        },
        "preferred_output": chosen,
        "non_preferred_output": rejected,
    }


FORMATS = (
    Format(
        "chat-jsonl",
        "sft",
        "OpenAI style: messages, arguments as text, weights of turns, tools where there are any",
        {"messages": [TEXT_MESSAGE], "tools": JSON_TEXT},
        _convert_chat,
        "# chat-jsonl:jsonl writes one conversation a line, as the API takes it.\n"
        "# Loss is on the assistant's turns but those of weight 0; allow {max_length} tokens a row.\n",
        (
            "In Parquet `tools` is JSON text and absent members are null; in JSONL `tools` is a list and "
            "absent members are left out.",
        ),
    ),
    Format(
        "openai-preference",
        "preference",
        "OpenAI preference: one text turn a side; take openai-preference:jsonl",
        {
            "input": {"messages": [_PLAIN_MESSAGE], "tools": JSON_TEXT, "parallel_tool_calls": FLAG},
            "preferred_output": [_PLAIN_MESSAGE],
            "non_preferred_output": [_PLAIN_MESSAGE],
        },
        _convert_preference,
        "# openai-preference:jsonl writes the lines that the API takes; allow {max_length} tokens a row.\n",
    ),
)
