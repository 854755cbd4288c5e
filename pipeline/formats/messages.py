"""Messages in the shape of the OpenAI chat API, which chat templates and trainers expect."""

from __future__ import annotations

from typing import Any

Message = dict[str, Any]


def chat_message(turn: Message) -> Message:
    """One turn with only the members that it has; arguments stay the JSON text they were."""
    shaped: Message = {"role": turn["role"], "content": turn["content"]}
    if turn["tool_calls"]:
        shaped["tool_calls"] = [
            {
                "id": call["id"],
                "type": "function",
                "function": {"name": call["name"], "arguments": call["arguments"]},
            }
            for call in turn["tool_calls"]
        ]
    for name in ("tool_call_id", "name"):
        if turn[name] is not None:
            shaped[name] = turn[name]
    return shaped


def chat_messages(turns: list[Message]) -> list[Message]:
    return [chat_message(turn) for turn in turns]


def user_says(text: str) -> Message:
    return {"role": "user", "content": text}


def assistant_says(text: str) -> Message:
    return {"role": "assistant", "content": text}


def conversation_of(row: dict[str, Any]) -> list[Message]:
    """The messages of an SFT row; a flat one is asked under its context and answered once."""
    if row["messages"] is not None:
        return chat_messages(row["messages"])
    system = [{"role": "system", "content": row["context"]}] if row["context"] else []
    return [*system, user_says(row["instruction"]), assistant_says(row["response"])]
