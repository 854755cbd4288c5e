"""``llama-factory``: sharegpt with merged observations, ranking, KTO, and alpaca for flat rows.

Its reader (``data/converter.py``) wants the sides of a conversation in strict turn, empties a row where
they are not without more than a log line, and takes the value of a call for JSON: what does not fit is
refused here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from pipeline.formats.format import FLAG, TEXT, Columns, Format, Row
from pipeline.formats.messages import (
    Message,
    chat_messages,
    text_only,
    unlearnable,
    with_objects,
    without_weights,
)
from pipeline.formats.trl_unpaired import KTO_ONLY
from pipeline.stages.refusals import QuarantineReason, Refusal

_TURN: Columns = {"from": TEXT, "value": TEXT}
_BESIDE: Columns = {"system": TEXT, "tools": TEXT}
_ASKING = ("human", "observation")

_RECIPE = """\
dataset_dir: {folder}
dataset: train
stage: {stage}
cutoff_len: {max_length}  # p99 and room to spare; what is longer is cut
packing: false
train_on_prompt: false
mask_history: false  # every turn of the model is learnt
"""
_CAUTIONS = (
    "Keep `formatting: sharegpt`, as `dataset_info.json` has it: `openai` drops the text beside a call.",
)


def _asked_and_answered(messages: list[Message]) -> tuple[str, list[Message]] | Refusal:
    """The system prompt and the other turns as the format has them, sides strictly in turn."""
    shaped = with_objects(messages)
    if isinstance(shaped, Refusal):
        return shaped
    system, *rest = shaped if shaped and shaped[0]["role"] == "system" else [{"content": ""}, *shaped]
    turns: list[Message] = []
    for message in rest:
        turn = _turn(message)
        if isinstance(turn, Refusal):
            return turn
        if turn["from"] == "observation" and turns and turns[-1]["from"] == "observation":
            turns[-1] = {"from": "observation", "value": f"{turns[-1]['value']}\n{turn['value']}"}
        else:
            turns.append(turn)
    if any((turn["from"] in _ASKING) != (place % 2 == 0) for place, turn in enumerate(turns)):
        return Refusal(QuarantineReason.TURNS_NOT_ALTERNATING)
    return system["content"], turns


def _turn(message: Message) -> Message | Refusal:
    if "reasoning_content" in message:
        return Refusal(QuarantineReason.REASONING_UNSUPPORTED)
    if message["role"] in ("user", "tool"):
        return {"from": "human" if message["role"] == "user" else "observation", "value": message["content"]}
    if message["role"] != "assistant":
        return Refusal(QuarantineReason.TURNS_NOT_ALTERNATING, "a system turn after the first")
    if "tool_calls" not in message:
        return {"from": "gpt", "value": message["content"]}
    if message["content"]:
        return Refusal(QuarantineReason.TEXT_BESIDE_CALL)
    calls = [call["function"] for call in message["tool_calls"]]
    value = [{"name": call["name"], "arguments": call["arguments"]} for call in calls]
    return {"from": "function_call", "value": orjson.dumps(value).decode()}


def _convert(row: Row) -> Row | Refusal:
    return _conversation(row, chat_messages(row["messages"]))


def _conversation(row: Row, messages: list[Message]) -> Row | Refusal:
    refusal = unlearnable(messages)
    if refusal is not None:
        return refusal
    read = _asked_and_answered(messages)
    if isinstance(read, Refusal):
        return read
    system, turns = read
    if len(turns) % 2:
        return Refusal(QuarantineReason.TURNS_NOT_ALTERNATING)
    return {"conversations": turns, "system": system, "tools": row["tools"]}


def _convert_ranking(row: Row) -> Row | Refusal:
    prompt, chosen, rejected = (chat_messages(row[side]) for side in ("prompt", "chosen", "rejected"))
    if len(chosen) != 1 or len(rejected) != 1:
        return Refusal(QuarantineReason.NEEDS_ONE_TURN)
    refusal = unlearnable([*chosen, *rejected])
    if refusal is not None:
        return refusal
    sides: Row = {}
    system = ""
    for name, answer in (("chosen", chosen), ("rejected", rejected)):
        read = _asked_and_answered([*without_weights(prompt), *answer])
        if isinstance(read, Refusal):
            return read
        system, (*asked, sides[name]) = read
        if not asked or len(asked) % 2 == 0:
            return Refusal(QuarantineReason.TURNS_NOT_ALTERNATING)
        sides = {"conversations": asked, **sides}
    return {**sides, "system": system, "tools": row["tools"]}


def _convert_kto(row: Row) -> Row | Refusal:
    if len(chat_messages(row["completion"])) != 1:
        return Refusal(QuarantineReason.NEEDS_ONE_TURN)
    prompt = without_weights(chat_messages(row["prompt"]))
    shaped = _conversation(row, [*prompt, *chat_messages(row["completion"])])
    if isinstance(shaped, Refusal):
        return shaped
    return {"conversations": shaped.pop("conversations"), "kto_tag": row["label"], **shaped}


def _convert_alpaca(row: Row) -> Row | Refusal:
    if row["shape"] != "flat":
        return Refusal(QuarantineReason.NEEDS_MESSAGES)
    messages = chat_messages(row["messages"])
    refusal = text_only(messages) or unlearnable(messages)
    if refusal is not None:
        return refusal
    if row["tools"]:
        return Refusal(QuarantineReason.NEEDS_MESSAGES, "tools")
    # Its reader joins instruction and input with a line end, so that what was given goes into system.
    return {
        "instruction": row["instruction"],
        "input": "",
        "output": row["response"],
        "system": row["context"],
    }


def _info(entry: Mapping[str, Any], files: Mapping[str, str]) -> dict[str, Any]:
    return {split: {"file_name": name, **entry} for split, name in files.items()}


def _sharegpt(files: Mapping[str, str]) -> dict[str, Any]:
    columns = {"messages": "conversations", "system": "system", "tools": "tools"}
    return _info({"formatting": "sharegpt", "columns": columns}, files)


def _ranking(files: Mapping[str, str]) -> dict[str, Any]:
    columns = {"messages": "conversations", "chosen": "chosen", "rejected": "rejected", **_same(_BESIDE)}
    return _info({"formatting": "sharegpt", "ranking": True, "columns": columns}, files)


def _kto(files: Mapping[str, str]) -> dict[str, Any]:
    columns = {"messages": "conversations", "kto_tag": "kto_tag", **_same(_BESIDE)}
    return _info({"formatting": "sharegpt", "columns": columns}, files)


def _alpaca(files: Mapping[str, str]) -> dict[str, Any]:
    columns = {"prompt": "instruction", "query": "input", "response": "output", "system": "system"}
    return _info({"formatting": "alpaca", "columns": columns}, files)


def _same(names: Columns) -> dict[str, str]:
    return {name: name for name in names}


FORMATS = (
    Format(
        "llama-factory",
        "sft",
        "LLaMA-Factory SFT: sharegpt, observations merged, with dataset_info.json",
        {"conversations": [_TURN], **_BESIDE},
        _convert,
        _RECIPE.replace("{stage}", "sft"),
        _CAUTIONS,
        beside=_sharegpt,
    ),
    Format(
        "llama-factory-alpaca",
        "sft",
        "LLaMA-Factory SFT: alpaca; refuses conversations",
        {"instruction": TEXT, "input": TEXT, "output": TEXT, "system": TEXT},
        _convert_alpaca,
        _RECIPE.replace("{stage}", "sft"),
        beside=_alpaca,
    ),
    Format(
        "llama-factory-ranking",
        "preference",
        "LLaMA-Factory DPO: sharegpt, one turn a side",
        {"conversations": [_TURN], "chosen": _TURN, "rejected": _TURN, **_BESIDE},
        _convert_ranking,
        _RECIPE.replace("{stage}", "dpo"),
        _CAUTIONS,
        beside=_ranking,
    ),
    Format(
        "llama-factory-kto",
        "labelled",
        "LLaMA-Factory KTO only: all accepted and rejected runs with their label",
        {"conversations": [_TURN], "kto_tag": FLAG, **_BESIDE},
        _convert_kto,
        _RECIPE.replace("{stage}", "kto"),
        (*KTO_ONLY, *_CAUTIONS),
        beside=_kto,
    ),
)
