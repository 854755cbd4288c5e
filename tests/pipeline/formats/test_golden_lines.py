"""Each format's lines are those that its trainer's reader takes: compared whole."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.formats.format import Row
from pipeline.formats.llama_factory import FORMATS as LLAMA_FACTORY
from pipeline.formats.registry import FORMATS
from tests.pipeline.formats.lines import (
    ANSWER,
    ASKED,
    CALL,
    TOOLS,
    TOOLS_TEXT,
    chat,
    convert,
    flat,
    flat_pair,
    labelled,
    with_tools,
)
from tests.pipeline.stages.builders import turn

QUESTION = {"role": "user", "content": "Rain in Oslo?"}
RESULT = {"role": "tool", "tool_call_id": "call-0", "name": "w", "content": "rain"}
YES = {"role": "assistant", "content": "Yes."}


def call(arguments: Any) -> Row:
    return {"id": "call-0", "type": "function", "function": {"name": "w", "arguments": arguments}}


def said(content: str) -> list[Row]:
    return [{"role": "assistant", "content": content}]


TWO = [{"role": "user", "content": "2+2?"}]
FOUR, FIVE = said("4"), said("5")
CALL_AS_OBJECT = {"role": "assistant", "content": "", "tool_calls": [call({"city": "Oslo"})]}
CALL_AS_TEXT = {"role": "assistant", "content": "", "tool_calls": [call('{"city":"Oslo"}')]}
SHARED = {"system": "", "tools": TOOLS_TEXT}

GOLDEN: list[tuple[str, Row, Row]] = [
    (
        "trl-conversational",
        with_tools(),
        {"messages": [QUESTION, CALL_AS_OBJECT, RESULT, YES], "tools": TOOLS_TEXT},
    ),
    (
        "trl-conversational",
        flat("Hi", "Hello."),
        {"messages": [{"role": "user", "content": "Hi"}, *said("Hello.")], "tools": None},
    ),
    (
        "trl-conversational-text",
        with_tools(),
        {"messages": [QUESTION, CALL_AS_TEXT, RESULT, YES], "tools": TOOLS_TEXT},
    ),
    ("trl-prompt-completion", flat(), {"prompt": TWO, "completion": FOUR, "tools": None}),
    (
        "trl-prompt-completion",
        flat(context="Add."),
        {"prompt": [{"role": "system", "content": "Add."}, *TWO], "completion": FOUR, "tools": None},
    ),
    ("trl-preference", flat_pair(), {"prompt": TWO, "chosen": FOUR, "rejected": FIVE, "tools": None}),
    ("trl-preference-text", flat_pair(), {"prompt": TWO, "chosen": FOUR, "rejected": FIVE, "tools": None}),
    ("trl-preference-plain", flat_pair("Add."), {"prompt": "Add.\n\n2+2?", "chosen": "4", "rejected": "5"}),
    (
        "trl-unpaired",
        labelled(False, turn("user", "2+2?"), answer=turn("assistant", "5")),
        {"prompt": TWO, "completion": FIVE, "label": False, "tools": None},
    ),
    (
        "trl-unpaired-text",
        labelled(True, ASKED, answer=CALL),
        {"prompt": [QUESTION], "completion": [CALL_AS_TEXT], "label": True, "tools": None},
    ),
    (
        "chat-jsonl",
        {
            **chat(
                turn("user", "Rain?"),
                turn("assistant", "Where?", weight=0),
                turn("user", "Oslo"),
                CALL,
            ),
            "tools": TOOLS_TEXT,
        },
        {
            "messages": [
                {"role": "user", "content": "Rain?"},
                {"role": "assistant", "content": "Where?", "weight": 0},
                {"role": "user", "content": "Oslo"},
                CALL_AS_TEXT,
            ],
            "tools": TOOLS,
        },
    ),
    (
        "openai-preference",
        flat_pair(),
        {
            "input": {"messages": TWO, "tools": [], "parallel_tool_calls": True},
            "preferred_output": FOUR,
            "non_preferred_output": FIVE,
        },
    ),
    (
        "axolotl",
        {**chat(ASKED, CALL), "tools": TOOLS_TEXT},
        {
            "tools": TOOLS_TEXT,
            "messages": [
                QUESTION,
                {"role": "assistant", "content": "", "train": True, "tool_calls": CALL_AS_TEXT["tool_calls"]},
            ],
        },
    ),
    ("axolotl-preference", flat_pair(), {"messages": TWO, "chosen": FOUR[0], "rejected": FIVE[0]}),
    (
        "llama-factory",
        with_tools(),
        {
            "conversations": [
                {"from": "human", "value": "Rain in Oslo?"},
                {"from": "function_call", "value": '[{"name":"w","arguments":{"city":"Oslo"}}]'},
                {"from": "observation", "value": "rain"},
                {"from": "gpt", "value": "Yes."},
            ],
            **SHARED,
        },
    ),
    (
        "llama-factory-alpaca",
        flat(context="Add."),
        {"instruction": "2+2?", "input": "", "output": "4", "system": "Add."},
    ),
    (
        "llama-factory-ranking",
        flat_pair(),
        {
            "conversations": [{"from": "human", "value": "2+2?"}],
            "chosen": {"from": "gpt", "value": "4"},
            "rejected": {"from": "gpt", "value": "5"},
            "system": "",
            "tools": "",
        },
    ),
    (
        "llama-factory-kto",
        labelled(False, turn("user", "2+2?"), answer=turn("assistant", "5")),
        {
            "conversations": [{"from": "human", "value": "2+2?"}, {"from": "gpt", "value": "5"}],
            "kto_tag": False,
            "system": "",
            "tools": "",
        },
    ),
]


@pytest.mark.parametrize(("name", "row", "line"), GOLDEN, ids=[name for name, _, _ in GOLDEN])
def test_a_line_is_the_one_that_its_reader_takes(name: str, row: Row, line: Row) -> None:
    assert convert(name, row) == line


def test_every_format_has_a_golden_line_and_no_member_without_a_column() -> None:
    assert {name for name, _, _ in GOLDEN} == set(FORMATS)
    for name, _, line in GOLDEN:
        assert set(line) <= set(FORMATS[name].columns)


def test_two_results_in_a_row_are_one_observation() -> None:
    calls = turn("assistant", None, ("w", '{"city":"Oslo"}'), ("w", '{"city":"Bonn"}'))
    row = chat(
        ASKED,
        calls,
        turn("tool", "rain", tool_call_id="call-0"),
        turn("tool", "sun", tool_call_id="call-1"),
        ANSWER,
    )
    made = convert("llama-factory", row)
    assert isinstance(made, dict)
    assert [each["from"] for each in made["conversations"]] == [
        "human",
        "function_call",
        "observation",
        "gpt",
    ]
    assert made["conversations"][2]["value"] == "rain\nsun"


def test_what_a_model_thought_goes_to_the_trainers_that_show_it() -> None:
    row = chat(ASKED, turn("assistant", "Yes.", reasoning="Look it up."))
    for name in ("trl-conversational", "chat-jsonl", "axolotl"):
        made = convert(name, row)
        assert isinstance(made, dict)
        assert made["messages"][-1]["reasoning_content"] == "Look it up."


def test_a_turn_that_is_not_to_be_learnt_is_marked_in_each_trainers_way() -> None:
    row = chat(ASKED, turn("assistant", "No.", weight=0), turn("user", "Really?"), ANSWER)
    conversational, axolotl = convert("trl-conversational", row), convert("axolotl", row)
    assert isinstance(conversational, dict)
    assert isinstance(axolotl, dict)
    assert [message.get("weight") for message in conversational["messages"]] == [None, 0, None, None]
    assert [message.get("train") for message in axolotl["messages"]] == [None, False, None, True]


def test_dataset_info_names_the_files_that_were_written() -> None:
    sharegpt, alpaca, ranking, kto = (entry.beside for entry in LLAMA_FACTORY)
    assert sharegpt is not None
    assert ranking is not None
    assert kto is not None
    assert alpaca is not None
    assert json.loads(json.dumps(sharegpt({"train": "train.jsonl"}))) == {
        "train": {
            "file_name": "train.jsonl",
            "formatting": "sharegpt",
            "columns": {"messages": "conversations", "system": "system", "tools": "tools"},
        }
    }
    files = {"train": "train.parquet", "validation": "validation.parquet"}
    assert ranking(files)["validation"]["ranking"] is True
    assert kto(files)["train"]["columns"]["kto_tag"] == "kto_tag"
    assert alpaca(files)["train"]["formatting"] == "alpaca"
