"""Each kind of rule and each step gives its value, null, or a skip that names the field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.contracts.skips import SkipReason
from pipeline.settings.rules import Rule
from pipeline.streams.compiled import compile_stream
from tests.pipeline.streams.sources import evidence, lookup_of, mapped, outcome, refusal, stream

SOURCE = {"_source": {"path": "data/outputs/gpt-4/run/gsm8k/results.jsonl"}}


@pytest.mark.parametrize(
    ("rule", "line", "expected"),
    [
        ("a.b", {"a": {"b": "x"}}, "x"),
        ({"const": "x"}, {}, "x"),
        ({"template": "Summarise {n} of {{braces}}"}, {"n": 7}, "Summarise 7 of {braces}"),
        ({"template": "{n}"}, {}, None),
        ({"join": ["a", "b"], "with": "/"}, {"a": "x", "b": 7}, "x/7"),
        ({"join": ["a", "b"], "with": "/"}, {"a": "x"}, None),
        ({"join": ["a", "b"], "with": "/", "skip_missing": True}, {"a": "x"}, "x"),
        ({"join": ["a", "b"], "skip_missing": True}, {}, None),
        ({"join": "lines"}, {"lines": ["x", "y"]}, "x\ny"),
        ({"join": "lines"}, {"lines": "x"}, "x"),
        ({"join": "lines", "with": ""}, {"lines": []}, ""),
        ({"join": ["a"]}, {"a": [True, 1.5, "z"]}, "true\n1.5\nz"),
        ({"first_of": ["a", "b"]}, {"a": None, "b": "x"}, "x"),
        ({"first_of": ["a", "b"]}, {}, None),
        (
            {"case": [{"when": {"path": "k", "equals": 1}, "then": "a"}], "else": "b"},
            {"k": 1, "a": "x", "b": "y"},
            "x",
        ),
        (
            {"case": [{"when": {"path": "k", "equals": 1}, "then": "a"}], "else": "b"},
            {"a": "x", "b": "y"},
            "y",
        ),
        ({"case": [{"when": "k", "then": "a"}]}, {"a": "x"}, None),
        ({"turn": "chat"}, {"chat": [{"role": "assistant", "content": "x"}, {"role": "user"}]}, "x"),
        (
            {"turn": "chat", "role": "user", "which": "first"},
            {"chat": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]},
            "x",
        ),
        ({"path": "a", "when": {"path": "k", "exists": True}, "default": "d"}, {"a": "x"}, None),
        ({"path": "a", "default": "d"}, {}, "d"),
        ({"path": "a", "nulls": ["NULL", ""]}, {"a": "NULL"}, None),
        ({"path": "_source.path", "regex": "^data/outputs/([^/]+)/"}, SOURCE, "gpt-4"),
        ({"path": "_source.path", "regex": "^other/([^/]+)/"}, SOURCE, None),
        ({"path": "_source.path", "regex": "gsm8k|mmlu"}, SOURCE, "gsm8k"),
        ({"path": "a", "map": {"yes": "pass", "*": "other"}}, {"a": "maybe"}, "other"),
        ({"path": "a", "map": {"true": "pass", "false": "no"}}, {"a": False}, "no"),
        ({"path": "a", "map": {"2": "two"}}, {"a": 2}, "two"),
        ({"path": "a", "to_text": True}, {"a": {"k": [1, "é"]}}, '{"k":[1,"é"]}'),
        ({"path": "a", "regex": "x", "lenient": True}, {"a": 7}, None),
        ({"path": "a", "regex": "x", "lenient": True, "default": "d"}, {"a": 7}, "d"),
        ({"path": "a", "regex": "^(.)", "map": {"y": "yes"}}, {"a": "yo"}, "yes"),
    ],
)
def test_a_rule_gives_its_value(rule: Any, line: dict[str, Any], expected: str | None) -> None:
    assert evidence(line, response=rule)["response"] == expected


@pytest.mark.parametrize(
    ("field", "rule", "value", "reason", "detail"),
    [
        ("response", "a", 7, SkipReason.WRONG_TYPE, "response: expected a text, found a number"),
        ("response", "a", ["x"], SkipReason.WRONG_TYPE, "response: expected a text, found a list"),
        ("response", {"join": "a"}, [{}], SkipReason.WRONG_TYPE, "response: expected a text or a number"),
        (
            "response",
            {"path": "a", "regex": "x"},
            7,
            SkipReason.WRONG_TYPE,
            "response: expected a text to se",
        ),
        ("verdict", "a", "yes", SkipReason.WRONG_TYPE, "verdict: expected pass, fail or error"),
        (
            "verdict",
            {"path": "a", "map": {"yes": "pass"}},
            "no",
            SkipReason.WRONG_TYPE,
            "verdict: a value that",
        ),
        ("verdict", "a", 1, SkipReason.WRONG_TYPE, "verdict: expected true, false, pass"),
        ("reward", "a", "1.0", SkipReason.WRONG_TYPE, "reward: expected a number, found a text"),
        ("reward", "a", True, SkipReason.WRONG_TYPE, "reward: expected a number, found true or false"),
        ("reward", "a", 8.5, SkipReason.VALUE_OUT_OF_RANGE, "reward: expected 0 to 1"),
        ("tokens", "a", -1, SkipReason.VALUE_OUT_OF_RANGE, "tokens: expected 0 or more"),
        ("tokens", "a", 1.5, SkipReason.WRONG_TYPE, "tokens: expected a whole number"),
        ("tokens", "a", 2**63, SkipReason.VALUE_OUT_OF_RANGE, "tokens: expected 0 or more, within 63 bits"),
        ("cost_usd", "a", -0.1, SkipReason.VALUE_OUT_OF_RANGE, "cost_usd: expected 0 or more"),
        ("timestamp", "a", "yesterday", SkipReason.WRONG_TYPE, "timestamp: a time that is none of: iso"),
        (
            "latency_ms",
            {"path": "a", "duration": "ms"},
            "2 weeks",
            SkipReason.WRONG_TYPE,
            "latency_ms: expected",
        ),
        ("tools", "a", "not JSON", SkipReason.WRONG_TYPE, "tools: expected JSON"),
        ("tags", "a", [["x"]], SkipReason.WRONG_TYPE, "tags: expected a text or a number"),
        ("validation", {"ran": "a"}, "yes", SkipReason.WRONG_TYPE, "validation.ran: expected true or false"),
        (
            "human_override",
            {"decision": "a"},
            "good",
            SkipReason.WRONG_TYPE,
            "human_override: expected accept",
        ),
        ("task_id", "a", 1.5, SkipReason.WRONG_TYPE, "task_id: expected a text or a whole number"),
        ("task_id", "a", "", SkipReason.MISSING_FIELD, "task_id: empty"),
        ("task_id", "a", None, SkipReason.MISSING_FIELD, "task_id: not found in the line"),
    ],
)
def test_a_wrong_value_is_a_skip_that_names_the_field(
    field: str, rule: Any, value: Any, reason: SkipReason, detail: str
) -> None:
    fault = refusal({"a": value}, **{field: rule})
    assert fault.reason == reason
    assert fault.detail.startswith(detail)


@pytest.mark.parametrize(
    ("field", "rule", "value", "expected"),
    [
        ("verdict", "a", True, "pass"),
        ("verdict", "a", False, "fail"),
        ("verdict", "a", "error", "error"),
        ("verdict", {"path": "a", "pass_at": 1.0}, 1, "pass"),
        ("verdict", {"path": "a", "pass_at": 1.0}, 0.99, "fail"),
        ("verdict", {"path": "a", "pass_at": 0.8, "fail_below": 0.2}, 0.5, None),
        ("reward", "a", 1, 1.0),
        ("reward", {"path": "a", "divide_by": 10}, 8.5, 0.85),
        ("tokens", "a", 12.0, 12),
        ("cost_usd", "a", 0, 0.0),
        ("latency_ms", {"path": "a", "duration": "seconds"}, "58.912 seconds", 58912.0),
        ("latency_ms", {"path": "a", "duration": "seconds"}, 2, 2000.0),
        ("latency_ms", {"path": "a", "duration": "seconds"}, "3min", 180000.0),
        (
            "timestamp",
            {"path": "a", "time": ["iso", "%Y-%m-%d-%H:%M"]},
            "2023-08-01-02:56",
            "2023-08-01T02:56:00Z",
        ),
        ("timestamp", "a", "2023-08-17T10:28:04+02:00", "2023-08-17T08:28:04Z"),
        ("timestamp", {"path": "a", "time": "epoch_seconds"}, 1700000000, "2023-11-14T22:13:20Z"),
        ("timestamp", {"path": "a", "time": "epoch_ms"}, 1700000000123, "2023-11-14T22:13:20.123000Z"),
        ("tools", "a", [{"name": "f"}], '[{"name":"f"}]'),
        ("tools", "a", "[]", None),
        ("tags", ["a", {"const": "b"}], ["x", 3, "x"], ["x", "3", "b"]),
        ("success_markers", {"const": "tests passed", "when": "a"}, True, ["tests passed"]),
        ("failure_markers", {"const": "traceback", "when": "a"}, False, []),
        ("validation", {"ran": "a", "unknown": "b"}, True, {"ran": True}),
        (
            "human_override",
            {"decision": {"path": "a", "map": {"good": "accepted"}}, "by": {"const": "w1"}, "at": "b"},
            "good",
            {"decision": "accepted", "by": "w1", "reason": None, "at": None},
        ),
        ("human_override", {"decision": "a"}, None, None),
    ],
)
def test_a_value_gets_the_type_of_its_field(field: str, rule: Any, value: Any, expected: Any) -> None:
    found = evidence({"a": value}, **{field: rule})[field]
    assert found == expected
    assert type(found) is type(expected)


def test_a_lookup_takes_a_value_from_the_line_with_the_id(tmp_path: Path) -> None:
    tables = lookup_of(tmp_path, "questions", "qid", {"qid": 1, "text": "Why?"}, {"qid": "2", "text": "How?"})
    rule = {"lookup": "questions", "key": "q", "get": "text"}
    compiled = compile_stream(stream(fields={"task_id": "q", "instruction": rule}), tables)
    assert compiled.lookup_names == ("questions",)
    # Ids are compared as text: 1 and "1" are one id.
    assert mapped(compiled, {"q": "1"})[0]["instruction"] == "Why?"
    assert mapped(compiled, {"q": 2})[0]["instruction"] == "How?"
    fault = outcome(compiled, {"q": 3})
    assert (fault.reason, fault.detail) == (  # type: ignore[union-attr]
        SkipReason.LOOKUP_MISSING,
        "instruction: no line of questions has the id",
    )


def test_a_lenient_lookup_that_finds_nothing_gives_null(tmp_path: Path) -> None:
    rule = {"lookup": "questions", "key": "q", "get": "text", "lenient": True}
    tables = lookup_of(tmp_path, "questions", "qid", {"qid": 1, "text": "Why?"})
    compiled = compile_stream(stream(fields={"task_id": "q", "instruction": rule}), tables)
    assert mapped(compiled, {"q": 3})[0]["instruction"] is None


@pytest.mark.parametrize(
    ("rule", "complaint"),
    [
        ({}, "exactly one of path"),
        ({"path": "a", "const": "b"}, "it has path and const"),
        ({"path": "a", "with": "/"}, "with belongs to join"),
        ({"const": "a", "else": "b"}, "else belongs to case"),
        ({"lookup": "x", "key": "a"}, "needs key"),
        ({"path": "a", "fail_below": 0.5}, "fail_below needs a pass_at"),
        ({"path": "a", "pass_at": 0.5, "fail_below": 0.7}, "not below it"),
        ({"template": "{a"}, "unmatched brace"),
        ({"template": "{}"}, "empty braces"),
        ({"template": "{a..b}"}, "not a path"),
        ({"path": "a", "duration": "fortnights"}, "must be one of"),
        ({"path": "a", "time": "ISO"}, "a time format is"),
        ({"path": "a", "time": "%Q"}, "not a time format"),
        ({"path": "a", "divide_by": 0}, "greater than 0"),
        ({"path": "a", "regexp": "x"}, "Extra inputs"),
    ],
)
def test_what_is_no_rule_is_refused(rule: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        Rule.model_validate(rule)
