"""JSON inside of a text, parallel lists, an index from elsewhere, stable ids, the file, parts by key."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.contracts.skips import LineFault, SkipReason
from pipeline.streams import bounds
from pipeline.streams.compiled import compile_stream
from pipeline.streams.inner_json import parsed
from pipeline.streams.misfit import MisfitError
from tests.pipeline.streams.sources import evidence, mapped, outcome, refusal, stream

TURNS = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}]
DEEPEST = 253


# --- json ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, "é", null]}', {"a": [1, "é", None]}),
        (" [1] ", [1]),
        ("12", 12),
        ('"x"', "x"),
        ("true", True),
        ("null", None),
        ("18446744073709551615", 2**64 - 1),
        ("9007199254740993", 2**53 + 1),
        ("[" * DEEPEST + "]" * DEEPEST, json.loads("[" * DEEPEST + "]" * DEEPEST)),
        ('"\\ud83d\\ude00"', "\U0001f600"),
    ],
)
def test_a_text_becomes_its_value(text: str, value: Any) -> None:
    read = parsed(text)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", SkipReason.WRONG_TYPE),
        ("  ", SkipReason.WRONG_TYPE),
        ("yes", SkipReason.WRONG_TYPE),
        ("{'a': 1}", SkipReason.WRONG_TYPE),
        ("[1] [2]", SkipReason.WRONG_TYPE),
        ("1}", SkipReason.WRONG_TYPE),
        ('1, "other": 2', SkipReason.WRONG_TYPE),
        ("[1\0]", SkipReason.WRONG_TYPE),
        ("\ufeff[1]", SkipReason.WRONG_TYPE),
        ('{"a": 1, "a": 1}', SkipReason.DUPLICATE_KEY),
        ('[{"a": 1, "\\u0061": 2}]', SkipReason.DUPLICATE_KEY),
        ("18446744073709551616", SkipReason.NUMBER_OUT_OF_RANGE),
        ("-9223372036854775809", SkipReason.NUMBER_OUT_OF_RANGE),
        ("1e999", SkipReason.NUMBER_OUT_OF_RANGE),
        ("NaN", SkipReason.NON_FINITE_NUMBER),
        ("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), SkipReason.TOO_DEEP),
        ("[" * 100_000, SkipReason.TOO_DEEP),
        ('["\\ud800"]', SkipReason.LONE_SURROGATE),
    ],
)
def test_what_hides_something_is_refused_with_its_reason(text: str, reason: SkipReason) -> None:
    with pytest.raises(MisfitError) as refused:
        parsed(text)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("rule", "line", "expected"),
    [
        ({"path": "a", "json": True, "get": "b[1].c"}, {"a": '{"b": [0, {"c": "x"}]}'}, "x"),
        ({"path": "a", "json": True, "get": "b"}, {"a": {"b": "x"}}, "x"),
        ({"path": "a", "json": True, "get": "[1]"}, {"a": '["x", "y"]'}, "y"),
        ({"path": "a", "json": True, "get": "b"}, {"a": '["x", "y"]'}, None),
        ({"path": "a", "json": True, "get": "b.c"}, {"a": "7"}, None),
        ({"path": "a", "json": True, "get": "b"}, {}, None),
        (
            {"path": "a", "json": True, "get": {"path": "b", "json": True, "get": "c"}},
            {"a": '{"b": "{\\"c\\": \\"x\\"}"}'},
            "x",
        ),
        ({"path": "a", "json": True, "get": {"path": "@", "json": True}}, {"a": '"\\"x\\""'}, "x"),
        ({"path": "a", "json": True, "get": {"template": "{b}/{c}"}}, {"a": '{"b": 1, "c": 2}'}, "1/2"),
        ({"path": "a", "json": True, "lenient": True}, {"a": "no JSON"}, None),
        ({"path": "a", "json": True, "lenient": True, "default": "d"}, {"a": "no JSON"}, "d"),
        ({"path": "a", "json": True, "nulls": [""]}, {"a": '""'}, None),
        ({"first_of": [{"path": "a", "json": True, "lenient": True}, "b"]}, {"a": "{", "b": "x"}, "x"),
        ({"join": {"path": "a", "json": True}}, {"a": '["x", "y"]'}, "x\ny"),
    ],
)
def test_json_comes_before_paths_and_other_steps(
    rule: Any, line: dict[str, Any], expected: str | None
) -> None:
    assert evidence(line, response=rule)["response"] == expected


def test_a_text_that_is_no_json_skips_the_line_and_names_the_field() -> None:
    fault = refusal({"a": "secret text"}, tokens={"path": "a", "json": True})
    assert fault == LineFault(SkipReason.WRONG_TYPE, "tokens: expected JSON, found another text")


@pytest.mark.parametrize("write", [lambda value: value, json.dumps])
def test_a_conversation_may_be_json_text(write: Any) -> None:
    line = {"input": write(TURNS[:1]), "output": write(TURNS[1]), "all": write(TURNS)}
    assert (
        evidence(line, messages={"path": "input", "append": "output"})["messages"]
        == evidence(line, messages="all")["messages"]
    )
    assert evidence(line, response={"turn": "all"})["response"] == "Hello."
    rows = evidence(
        {"in": write({"messages": TURNS})}, messages={"path": {"path": "in", "json": True, "get": "messages"}}
    )
    assert rows["response"] == "Hello."
    assert evidence({"turns": [write(turn) for turn in TURNS]}, messages="turns")["response"] == "Hello."


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"input": "Hi"}, SkipReason.WRONG_TYPE),
        ({"input": '{"role": "user", "content": "Hi"}'}, SkipReason.WRONG_TYPE),
        ({"input": '[{"role": "user", "role": "user", "content": "Hi"}]'}, SkipReason.DUPLICATE_KEY),
        ({"input": [], "output": "Hello."}, SkipReason.WRONG_TYPE),
        ({"input": [], "output": "7"}, SkipReason.WRONG_TYPE),
        ({"input": ["Hi"]}, SkipReason.WRONG_TYPE),
    ],
)
def test_a_text_that_is_no_conversation_names_messages(line: dict[str, Any], reason: SkipReason) -> None:
    fault = refusal(line, messages={"path": "input", "append": ["output"]})
    assert fault.reason == reason
    assert fault.detail.startswith("messages: ")
    lenient = {"path": {"path": "input", "json": True, "lenient": True, "nulls": [7]}}
    if isinstance(line["input"], str) and not line["input"].startswith("{"):
        assert evidence({"input": "Hi"}, messages=lenient)["messages"] is None


# --- zip, at, hash -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "line", "expected"),
    [
        (
            {"zip": {"r": "a", "t": "b"}},
            {"a": ["x", "y"], "b": [1, 2]},
            [{"r": "x", "t": 1}, {"r": "y", "t": 2}],
        ),
        ({"zip": {"r": {"const": "x"}, "t": "b"}}, {"b": [1, 2]}, [{"r": "x", "t": 1}, {"r": "x", "t": 2}]),
        ({"zip": {"r": {"const": "x"}, "t": "b"}}, {"b": "z"}, [{"r": "x", "t": "z"}]),
        ({"zip": {"r": "a", "t": "b"}}, {"a": [None, "y"], "b": [1, 2]}, [{"t": 1}, {"r": "y", "t": 2}]),
        ({"zip": {"r": "a", "t": "b"}}, {"a": [], "b": []}, []),
        ({"zip": {"r": "a", "t": "b"}}, {"a": ["x"]}, None),
        ({"zip": {"r": "a", "t": "b"}, "skip_missing": True}, {"a": ["x"]}, [{"r": "x"}]),
        ({"zip": {"r": "a", "t": "b"}, "skip_missing": True}, {}, None),
    ],
)
def test_lists_are_zipped(rule: Any, line: dict[str, Any], expected: Any) -> None:
    found = evidence(line, response={**rule, "to_text": True})["response"]
    assert (None if found is None else json.loads(found)) == expected


def test_lists_of_two_lengths_are_a_skip() -> None:
    fault = refusal({"a": [1, 2], "b": [1]}, response={"zip": {"r": "a", "t": "b"}, "to_text": True})
    assert fault == LineFault(SkipReason.WRONG_TYPE, "response: expected lists of one length")


@pytest.mark.parametrize(
    ("where", "expected"),
    [(0, "x"), (1, "y"), (-1, "y"), (-2, "x"), (2, None), (-3, None), (1.0, "y"), (None, None)],
)
def test_an_index_comes_from_another_field(where: Any, expected: str | None) -> None:
    assert evidence({"a": ["x", "y"], "n": where}, response={"path": "a", "at": "n"})["response"] == expected


@pytest.mark.parametrize("where", ["1", True, 0.5, [0]])
def test_what_is_no_index_is_a_skip(where: Any) -> None:
    assert (
        refusal({"a": ["x"], "n": where}, response={"path": "a", "at": "n"}).reason == SkipReason.WRONG_TYPE
    )


def test_an_item_is_taken_of_lists_and_objects_alone() -> None:
    rule = {"path": "a", "at": {"first_of": ["n", {"const": 0}]}}
    assert evidence({"a": {"7": "x"}, "n": 7}, response=rule)["response"] == "x"
    assert evidence({"a": ["x"]}, response=rule)["response"] == "x"
    assert evidence({}, response=rule)["response"] is None
    assert refusal({"a": "xyz"}, response=rule).reason == SkipReason.WRONG_TYPE
    assert evidence({"a": "xyz"}, response={**rule, "lenient": True})["response"] is None


def test_a_hash_is_of_values_and_where_they_stand() -> None:
    def of(line: dict[str, Any], **rule: Any) -> Any:
        return evidence(line, response={"hash": ["a", "b"], **rule})["response"]

    assert of({"a": "x", "b": "y"}) == of({"b": "y", "a": "x"})
    assert len(of({"a": "x", "b": "y"})) == 32
    assert of({"a": {"k": 1, "l": 2}, "b": 1}) == of({"a": {"l": 2, "k": 1}, "b": 1})
    different = [
        of({"a": "x", "b": "y"}),
        of({"a": "y", "b": "x"}),
        of({"a": "xy", "b": ""}),
        of({"a": 1, "b": ""}),
        of({"a": "1", "b": ""}),
        of({"a": True, "b": ""}),
        of({"a": "x"}, skip_missing=True),
        of({"b": "x"}, skip_missing=True),
    ]
    assert len(set(different)) == len(different)
    assert of({"a": "x"}) is None
    assert of({}, skip_missing=True) is None


def test_a_hash_may_be_of_anything_that_a_line_can_hold() -> None:
    deep: Any = "x"
    for _ in range(252):
        deep = [deep]
    assert len(evidence({"a": deep}, response={"hash": "a"})["response"]) == 32


# --- lenient -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("timestamp", "yesterday"),
        ("reward", "n/a"),
        ("reward", 8.5),
        ("reward", True),
        ("tokens", "12"),
        ("tokens", -1),
        ("tokens", 1.5),
        ("cost_usd", -0.1),
        ("latency_ms", "fast"),
        ("verdict", "maybe"),
        ("response", 7),
        ("model_name", ["m"]),
        ("tools", "not JSON"),
        ("finish_reason", 1),
    ],
)
def test_lenient_makes_null_of_what_the_field_cannot_take(field: str, value: Any) -> None:
    assert refusal({"a": value}, **{field: "a"}).detail.startswith(f"{field}: ")
    assert evidence({"a": value}, **{field: {"path": "a", "lenient": True}})[field] is None
    inner = {"first_of": [{"path": "a", "lenient": True}, "b"]}
    assert evidence({"a": value}, **{field: inner})[field] is None
    branch = {"case": [{"when": {"path": "a", "exists": True}, "then": {"path": "a", "lenient": True}}]}
    assert evidence({"a": value}, **{field: branch})[field] is None


def test_lenient_leaves_what_fits_and_lets_the_default_come_after() -> None:
    rule = {"path": "a", "lenient": True, "default": 0.25}
    assert evidence({"a": 0.5}, reward=rule)["reward"] == 0.5
    assert evidence({"a": "n/a"}, reward=rule)["reward"] == 0.25
    assert (
        evidence({"a": "n/a", "b": 1}, reward={"first_of": [{"path": "a", "lenient": True}, "b"]})["reward"]
        == 1.0
    )
    time = {"path": "a", "lenient": True, "time": ["epoch_seconds"]}
    assert evidence({"a": 1700000000}, timestamp=time)["timestamp"] == "2023-11-14T22:13:20Z"
    assert (
        evidence({"a": "2023-11-14T22:13:20Z"}, timestamp={"path": "a", "lenient": True})["timestamp"]
        == "2023-11-14T22:13:20Z"
    )


def test_lenient_reaches_labels_validation_and_the_override() -> None:
    lenient = {"path": "a", "lenient": True}
    assert evidence({"a": [["x"]]}, tags=lenient)["tags"] == []
    assert evidence({"a": "yes"}, validation={"ran": lenient})["validation"] == {}
    assert evidence({"a": "good"}, human_override={"decision": lenient})["human_override"] is None
    override = {"decision": {"const": "accepted"}, "at": lenient}
    assert evidence({"a": "someday"}, human_override=override)["human_override"]["at"] is None


def test_a_lenient_task_id_that_is_none_is_a_missing_one() -> None:
    fault = refusal({"a": ""}, task_id={"path": "a", "lenient": True})
    assert fault.reason == SkipReason.MISSING_FIELD


# --- the file ------------------------------------------------------------------------------------


def test_the_file_and_the_number_of_the_line_are_open_to_every_rule() -> None:
    fields = {
        "task_id": {"template": "{_file.path}#{_file.line}"},
        "messages": {"path": "chat", "when": {"path": "_file.path", "matches": "^data/"}},
        "tags": ["_file.path"],
        "tokens": "_file.line",
    }
    section: dict[str, Any] = {
        "fields": fields,
        "where": {"path": "_file.line", "above": 1},
        "parts": {"each": "tries", "optional": True},
    }
    compiled = compile_stream(stream(**section), {})
    line = {"chat": TURNS}
    (row,) = mapped_at(compiled, line, "data/m/runs.jsonl", 7)
    assert row["task_id"] == "data/m/runs.jsonl#7"
    assert (row["tags"], row["tokens"], row["response"]) == (["data/m/runs.jsonl"], 7, "Hello.")
    assert line == {"chat": TURNS}
    fault = outcome(compiled, line, source_file="data/m/runs.jsonl", line_number=1)
    assert isinstance(fault, LineFault)
    assert fault.reason == SkipReason.FILTERED_OUT


def test_the_file_wins_over_a_member_of_its_name_and_expressions_see_it() -> None:
    compiled = compile_stream(stream(fields={"task_id": "id", "response": "join('-', [_file.path, id])"}), {})
    (row,) = mapped_at(compiled, {"id": "1", "_file": {"path": "forged"}}, "data/a.jsonl", 1)
    assert row["response"] == "data/a.jsonl-1"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ({}, "data/m/runs.jsonl"),
        ({"_source": None}, "data/m/runs.jsonl"),
        ({"_source": {"path": "other.jsonl"}}, "other.jsonl"),
        ({"_source": {"name": "x"}}, None),
    ],
)
def test_a_source_path_that_the_line_has_not_is_its_file(line: dict[str, Any], expected: str | None) -> None:
    compiled = compile_stream(stream(fields={"task_id": "id", "response": "_source.path"}), {})
    (row,) = mapped_at(compiled, {"id": 1, **line}, "data/m/runs.jsonl", 1)
    assert row["response"] == expected


def mapped_at(compiled: Any, line: dict[str, Any], file: str, number: int) -> list[dict[str, Any]]:
    rows = outcome(compiled, line, source_file=file, line_number=number)
    assert not isinstance(rows, LineFault), rows
    return rows


# --- parts by key --------------------------------------------------------------------------------


def test_parts_are_the_members_that_are_named_and_keep_their_numbers() -> None:
    section: dict[str, Any] = {"fields": {"task_id": "id", "response": "_part.text", "tags": "_key"}}
    compiled = compile_stream(stream(**section, parts={"keys": ["a", "b", "c"]}), {})
    rows = mapped(compiled, {"id": 1, "c": {"text": "z"}, "a": {"text": "x"}, "d": {"text": "?"}})
    assert [(row["response"], row["tags"], row["provenance"]["part"]) for row in rows] == [
        ("x", ["a"], 0),
        ("z", ["c"], 2),
    ]
    fault = outcome(compiled, {"id": 1, "d": {}, "b": None})
    assert isinstance(fault, LineFault)
    assert fault.reason == SkipReason.NO_PARTS


def test_parts_by_key_may_lie_deeper_and_be_optional() -> None:
    section: dict[str, Any] = {"fields": {"task_id": "id", "response": {"first_of": ["_part", "text"]}}}
    compiled = compile_stream(
        stream(**section, parts={"each": "out", "keys": ["a", "b"], "optional": True}), {}
    )
    assert [row["response"] for row in mapped(compiled, {"id": 1, "out": {"b": "y", "a": "x"}})] == ["x", "y"]
    assert [row["response"] for row in mapped(compiled, {"id": 1, "text": "t"})] == ["t"]
    fault = outcome(compiled, {"id": 1, "out": ["x"]})
    assert isinstance(fault, LineFault)
    assert fault.reason == SkipReason.WRONG_TYPE


# --- the bound of expressions --------------------------------------------------------------------


def test_an_expression_has_a_bound_and_the_skip_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MAX_VALUES", 9)
    rule = {"path": "a[].[@, @]", "to_text": True}
    assert evidence({"a": [1, 2]}, response=rule)["response"] == "[[1,1],[2,2]]"
    fault = refusal({"a": [1, 2, 3]}, response=rule)
    assert fault == LineFault(SkipReason.VALUE_OUT_OF_RANGE, "response: a[].[@, @] gives more than 9 values")


def test_an_expression_has_a_bound_on_its_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MAX_CHARACTERS", 6)
    rule = {"path": "[a, a]", "to_text": True}
    assert evidence({"a": "xyz"}, response=rule)["response"] == '["xyz","xyz"]'
    assert refusal({"a": "wxyz"}, response=rule).reason == SkipReason.VALUE_OUT_OF_RANGE
    assert refusal({"a": {"key_": 1}}, response=rule).reason == SkipReason.VALUE_OUT_OF_RANGE


def test_an_expression_that_grows_without_end_is_a_skip_like_any_other() -> None:
    doubled = " | ".join(["[@, @]"] * 40)
    fault = refusal({"a": "x"}, response={"path": f"a | {doubled}", "to_text": True})
    assert fault.detail.endswith("gives more than 1,000,000 values")


def test_an_expression_nests_no_deeper_than_a_line() -> None:
    deep = "[" * 300 + "a" + "]" * 300
    fault = refusal({"a": "x"}, response={"path": deep, "to_text": True})
    assert fault.detail.endswith("gives more than 254 levels")
