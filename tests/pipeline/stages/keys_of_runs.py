"""The keys of a whole run, from its evidence: what the exporter's reading, turn by turn, is held to."""

from __future__ import annotations

from typing import Any

from pipeline.stages.text_keys import AnswerKeys, answer_keys, turn_keys_of


def answer_keys_of(evidence: dict[str, Any]) -> AnswerKeys | None:
    """The keys of all that the model said in one run, or None when it said nothing.

    Assistant turns with neither text nor call are left out, and a flat response is one answer:
    a conversation with one answer has the keys of a flat run with that answer.
    """
    messages = evidence["messages"]
    if messages:
        turns = [
            turn_keys_of(turn["content"], turn["tool_calls"])
            for turn in messages
            if turn["role"] == "assistant"
        ]
    else:
        turns = [turn_keys_of(evidence["response"])]
    said = [turn for turn in turns if turn is not None]
    return answer_keys(said) if said else None
