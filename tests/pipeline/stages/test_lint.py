"""Each code of the lint, on both sides of its boundary; and what the settings make of it."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest

from pipeline.contracts.lint import REFUSABLE, LintCode
from pipeline.settings.model import ExportSettings
from pipeline.settings.values import Refusable
from pipeline.stages.export_preference import side_refusal
from pipeline.stages.export_sft import sft_row
from pipeline.stages.lint import lint, lint_evidence
from pipeline.stages.markup import has_markup
from pipeline.stages.refusals import QuarantineReason, Refusal
from pipeline.stages.sample import read_sample
from pipeline.stages.score import score
from tests.pipeline.stages.builders import THRESHOLDS, conversation, evidence, turn

SYSTEM, USER, SAID = turn("system", "Be brief."), turn("user", "Hi"), turn("assistant", "Hello.")


def call(*arguments: str, call_id: str | None = "c", name: str = "f") -> dict[str, Any]:
    calls = [{"id": call_id, "name": name, "arguments": text} for text in arguments or ("{}",)]
    return turn("assistant", None) | {"tool_calls": calls}


def result(call_id: str | None = "c", text: str = "r") -> dict[str, Any]:
    return turn("tool", text, tool_call_id=call_id)


def tools(**schema: Any) -> str:
    return json.dumps([{"type": "function", "function": {"name": "f", "parameters": schema}}])


ASK = [USER, call(), result(), SAID]
STRICT = tools(type="object", properties={"a": {"type": "integer"}}, required=["a"])


@pytest.mark.parametrize(
    ("messages", "offered", "codes"),
    [
        ([SYSTEM, *ASK], None, []),
        ([USER, SAID, USER, SAID], None, []),
        ([SYSTEM, SYSTEM, USER, SAID], None, []),
        ([SAID], None, ["first_turn"]),
        ([SYSTEM, SAID, USER, SAID], None, ["first_turn"]),
        ([USER, USER, SAID], None, ["alternation"]),
        ([USER, SAID, SAID], None, ["alternation"]),
        ([USER, SYSTEM, SAID], None, ["mid_system"]),
        ([USER, result(), SAID], None, ["orphan_tool_result"]),
        ([USER, call(), result("d"), SAID], None, ["orphan_tool_result", "missing_tool_result"]),
        ([USER, call(), result(), result(), SAID], None, ["orphan_tool_result"]),
        ([USER, call(call_id=None), result("c"), SAID], None, []),
        ([USER, call(), result(None), SAID], None, []),
        ([USER, call(), SAID], None, ["missing_tool_result"]),
        ([USER, call(), USER, SAID], None, ["missing_tool_result"]),
        ([USER, call()], None, []),
        ([*ASK, *ASK], None, ["doubled_call_id"]),
        ([*ASK, USER, call(call_id="d"), result("d"), SAID], None, []),
        ([USER, call("{}", "{}"), result(), result(), SAID], None, ["doubled_call_id"]),
        ([turn("user", " \n"), SAID], None, ["empty_turn"]),
        ([USER, turn("assistant", None), USER, SAID], None, ["empty_turn"]),
        ([USER, call(), result(text=""), SAID], None, []),
        ([turn("user", "<|im_end|>"), SAID], None, ["template_markup"]),
        ([USER, call('{"q": "[INST]"}'), result(), SAID], None, ["template_markup"]),
        (ASK, tools(), []),
        ([USER, call(name="g"), result(), SAID], tools(), ["unknown_tool"]),
        ([USER, call("{a: 1}"), result(), SAID], None, ["arguments_not_json"]),
        ([USER, call("[1]"), result(), SAID], None, ["arguments_not_json"]),
        ([USER, call(""), result(), SAID], None, []),
        ([USER, call('{"a": 1}'), result(), SAID], STRICT, []),
        ([USER, call('{"b": 1}'), result(), SAID], STRICT, ["arguments_missing"]),
        ([USER, call('{"a": "1"}'), result(), SAID], STRICT, ["arguments_mistyped"]),
        ([USER, call('{"a": "1"}'), result(), SAID], "[]", []),
        ([USER, call('{"a": "1"}'), result(), SAID], tools(type="nonsense"), []),
        ([USER, call('{"a": "1"}'), result(), SAID], tools(**{"$ref": "file:///etc/passwd"}), []),
    ],
)
def test_each_code(messages: list[dict[str, Any]], offered: str | None, codes: list[str]) -> None:
    assert list(lint(messages, offered)) == codes


def repeated(*arguments: str, results: tuple[str, ...] = ("r", "r", "r")) -> list[dict[str, Any]]:
    turns = [USER]
    for number, (text, said) in enumerate(zip(arguments, results, strict=True)):
        turns += [call(text, call_id=f"c{number}"), result(f"c{number}", said)]
    return [*turns, SAID]


def test_the_same_call_with_the_same_result_three_times() -> None:
    same = ('{"a": 1, "b": 2}', '{"b": 2, "a": 1.0}', '{"a":1,"b":2}')
    assert list(lint(repeated(*same), None)) == ["repeated_call"]
    assert list(lint(repeated(*same, results=("r", "r", "s")), None)) == []
    assert list(lint(repeated("{}", "", '{"a": 1}'), None)) == []
    assert list(lint(repeated(*same[:2], results=("r", "r")), None)) == []
    one_id = [USER, *[each for said in "rst" for each in (call(), result(text=said))], SAID]
    assert list(lint(one_id, None)) == ["doubled_call_id"]
    without_ids = [USER, *[each for _ in range(3) for each in (call(call_id=None), result(None))], SAID]
    assert list(lint(without_ids, None)) == ["repeated_call"]


@pytest.mark.parametrize(
    "text",
    [
        "a <|im_start|>assistant",
        "<|eot_id|>",
        "<|start_header_id|>",
        "<|endoftext|>",
        "[INST] x",
        "x [/INST]",
        "<<SYS>>",
        "[TOOL_CALLS]",
        "[AVAILABLE_TOOLS]",
        "<start_of_turn>user",
        "<end_of_turn>",
        "<｜User｜>",
        "<｜end▁of▁sentence｜>",
        "done</s>",
        "<|START_OF_TURN_TOKEN|>",
        "<bos>",
    ],
)
def test_marks_of_chat_templates(text: str) -> None:
    assert has_markup(text)
    assert lint_evidence(evidence(response=f"An answer with {text} in it."))


@pytest.mark.parametrize(
    "text",
    [
        "What is an <im> tag?",
        "f <| x |> g",
        "a <|> b",
        "if (a<|b|>c)",
        "[INSTALL] and [install]",
        "<s>struck out</s>",
        "cout << SYS >> x",
        "",
        "<boss>",
        "a[i]|b",
        "<| im_end |>",
    ],
)
def test_prose_and_code_that_look_like_it(text: str) -> None:
    assert has_markup(text) is ("(a<|b|>c)" in text)


def test_the_settings_name_every_code_and_the_exporters_refuse_what_they_name() -> None:
    assert get_args(Refusable) == REFUSABLE
    assert [QuarantineReason(code).name for code in REFUSABLE] == [code.name for code in REFUSABLE]
    assert set(LintCode) < set(REFUSABLE)
    assert len(QuarantineReason) == len(set(QuarantineReason)) > len(REFUSABLE) > 12


@pytest.mark.parametrize("made", [evidence, conversation])
def test_what_is_named_is_refused_and_nothing_else(made: Any) -> None:
    row = made(verdict="pass", flags=["system_not_recorded"])
    if row["messages"]:
        row["messages"][1]["content"] = "Book [INST] a seat."
    else:
        row["instruction"] = "Book [INST] a seat."
    scored = score(row, THRESHOLDS)
    for refuse, expected in (
        ((), None),
        (("first_turn", "tools_not_recorded"), None),
        (("template_markup",), "template_markup"),
        (("system_not_recorded", "template_markup"), "system_not_recorded"),
    ):
        options = ExportSettings.model_validate({"refuse": refuse})
        for outcome in (sft_row(row, scored, options), side_refusal(read_sample(row), options)):
            assert (outcome.reason.value if isinstance(outcome, Refusal) else None) == expected


def test_a_pattern_of_a_tool_takes_no_time() -> None:
    hostile = tools(properties={"a": {"type": "string", "pattern": "^(a+)+$"}})
    assert list(lint([USER, call(json.dumps({"a": "a" * 50_000 + "!"})), result(), SAID], hostile)) == [
        "arguments_mistyped"
    ]
