"""What stands under loss, against what the assistant said: the same, turn by turn, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

Message = dict[str, Any]

_CALL = re.compile(r"\n?<tool_call>\n(.*?)\n</tool_call>", re.DOTALL)
_THOUGHT = re.compile(r"<think>\n(.*?)\n</think>\n\n", re.DOTALL)
_END = "<|im_end|>\n"


def segments(ids: Sequence[int], under_loss: Iterable[bool], decode: Any) -> list[str]:
    """The texts under loss, cut where tokens that are not lie between them, and after each turn's end."""
    runs: list[list[int]] = [[]]
    for token, learnt in zip(ids, under_loss, strict=True):
        if learnt:
            runs[-1].append(token)
        elif runs[-1]:
            runs.append([])
    return [turn for run in runs if run for turn in _turns(decode(run))]


def _turns(text: str) -> list[str]:
    return [f"{turn}{_END}" for turn in text.split(_END)[:-1]] + (
        [rest] if (rest := text.split(_END)[-1]) else []
    )


def read_back(segment: str) -> Message:
    """What a turn of Qwen3's template says, as a message. A text that is no such turn keeps its markup."""
    body = segment.removesuffix(_END)
    message: Message = {"role": "assistant"}
    thought = _THOUGHT.match(body)
    if thought:
        body = body[thought.end() :]
        if thought[1].strip():
            message["reasoning_content"] = thought[1].strip()
    try:
        calls = [json.loads(call) for call in _CALL.findall(body)]
    except ValueError:  # what a template shows the model as an example of a call
        return {**message, "content": body}
    message["content"] = _CALL.sub("", body)
    if calls:
        message["tool_calls"] = calls
    return message


def said(messages: Iterable[Message]) -> list[Message]:
    """The assistant's turns in the same form."""
    turns = []
    for message in messages:
        if message["role"] == "assistant":
            turn: Message = {"role": "assistant"}
            if message.get("reasoning_content"):
                turn["reasoning_content"] = message["reasoning_content"].strip()
            turn["content"] = message["content"]
            if message.get("tool_calls"):
                turn["tool_calls"] = [call["function"] for call in message["tool_calls"]]
            turns.append(turn)
    return turns


def only_the_assistant(texts: Sequence[str], messages: Iterable[Message]) -> str | None:
    """None when the texts under loss are the assistant's turns; else what differs first."""
    learnt, wanted = [read_back(text) for text in texts], said(messages)
    if not wanted:
        return "no assistant's turn to learn"
    for place, (mine, theirs) in enumerate(zip(learnt, wanted, strict=False)):
        if mine != theirs or not texts[place].endswith(_END):
            return f"turn {place + 1}: {texts[place]!r}, the assistant said {theirs!r}"
    if len(learnt) != len(wanted):
        return f"{len(learnt)} turns under loss, the assistant has {len(wanted)}"
    return None
