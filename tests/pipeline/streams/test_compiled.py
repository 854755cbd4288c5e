"""One line gives its rows: parts, filters, identities, and nothing that the schema would refuse."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.faults import ExitCode, SettingsError
from pipeline.contracts.skips import LineFault, SkipReason
from pipeline.schemas.evidence import EvidenceRecord
from pipeline.streams.compiled import compile_stream, run_id
from tests.pipeline.streams.sources import evidence, mapped, outcome, stream


def test_a_row_has_the_keys_of_the_schema_in_their_order_but_for_the_time_of_recording() -> None:
    assert list(evidence({})) == list(EvidenceRecord.model_fields)[:-1]


def test_the_run_id_follows_from_stream_line_and_part() -> None:
    compiled = compile_stream(stream(fields={"task_id": "id"}), {})
    row = mapped(compiled, {"id": "x"})[0]
    sig_hash = hashlib.sha256(b'{"id":"x"}').hexdigest()
    identity = hashlib.sha256(b"runs\0" + sig_hash.encode() + b"\0" + b"0").hexdigest()
    assert row["run_id"] == run_id("runs", {"sig_hash": sig_hash, "part": 0}) == f"runs/{identity[:16]}"
    assert row["provenance"] == {
        "source_file": "data/_kb/runs.jsonl",
        "line": 1,
        "byte_offset": 0,
        "sig_hash": sig_hash,
        "part": 0,
    }


def test_rows_share_no_list_or_object() -> None:
    first, second = evidence({}), evidence({})
    first["tags"].append("x")
    first["validation"]["x"] = True
    assert (second["tags"], second["validation"]) == ([], {})


def test_a_line_outside_where_is_filtered_out() -> None:
    compiled = compile_stream(stream(fields={"task_id": "id"}, where={"path": "kind", "equals": "run"}), {})
    assert len(mapped(compiled, {"id": "x", "kind": "run"})) == 1
    fault = outcome(compiled, {"id": "x", "kind": "setup"})
    assert isinstance(fault, LineFault)
    assert fault.reason == SkipReason.FILTERED_OUT


PAIR: dict[str, Any] = {
    "fields": {"task_id": "id", "instruction": "prompt"},
    "parts": [
        {"fields": {"response": "a", "verdict": {"path": "winner", "map": {"a": "pass", "b": "fail"}}}},
        {"fields": {"response": "b", "verdict": {"path": "winner", "map": {"b": "pass", "a": "fail"}}}},
    ],
}


def test_a_judged_pair_gives_two_rows_that_share_what_the_stream_says() -> None:
    rows = mapped(
        compile_stream(stream(**PAIR), {}), {"id": 1, "prompt": "?", "a": "x", "b": "y", "winner": "b"}
    )
    assert [(row["instruction"], row["response"], row["verdict"]) for row in rows] == [
        ("?", "x", "fail"),
        ("?", "y", "pass"),
    ]
    assert [row["provenance"]["part"] for row in rows] == [0, 1]
    assert len({row["run_id"] for row in rows}) == 2


def test_a_part_outside_its_when_keeps_the_numbers_of_the_others() -> None:
    parts = [
        {"fields": {"response": "a"}, "when": {"path": "a", "exists": True}},
        {"fields": {"response": "b"}},
    ]
    compiled = compile_stream(stream(fields={"task_id": "id"}, parts=parts), {})
    (row,) = mapped(compiled, {"id": 1, "b": "y"})
    assert (row["response"], row["provenance"]["part"]) == ("y", 1)


def test_a_line_none_of_whose_parts_is_wanted_is_filtered_out() -> None:
    parts = [{"fields": {"response": "a"}, "when": {"path": "a", "exists": True}}]
    fault = outcome(compile_stream(stream(fields={"task_id": "id"}, parts=parts), {}), {"id": 1})
    assert isinstance(fault, LineFault)
    assert fault.reason == SkipReason.FILTERED_OUT


EACH: dict[str, Any] = {
    "fields": {"task_id": "id", "response": "_part.text", "verdict": "_part.ok", "tags": "_key"},
    "parts": {"each": "tries"},
}


def test_a_list_of_attempts_gives_a_row_each() -> None:
    rows = mapped(
        compile_stream(stream(**EACH), {}),
        {"id": 1, "tries": [{"text": "x", "ok": False}, {"text": "y", "ok": True}]},
    )
    assert [(row["response"], row["verdict"], row["tags"]) for row in rows] == [
        ("x", "fail", ["0"]),
        ("y", "pass", ["1"]),
    ]


def test_an_object_of_attempts_gives_a_row_each_under_its_key() -> None:
    rows = mapped(compile_stream(stream(**EACH), {}), {"id": 1, "tries": {"big": {"text": "x", "ok": True}}})
    assert [(row["response"], row["tags"]) for row in rows] == [("x", ["big"])]


@pytest.mark.parametrize(
    ("tries", "reason"),
    [([], SkipReason.NO_PARTS), (None, SkipReason.NO_PARTS), ("text", SkipReason.WRONG_TYPE)],
)
def test_without_attempts_the_line_is_skipped(tries: Any, reason: SkipReason) -> None:
    fault = outcome(compile_stream(stream(**EACH), {}), {"id": 1, "tries": tries})
    assert isinstance(fault, LineFault)
    assert fault.reason == reason


def test_one_wrong_attempt_skips_the_line_and_is_named() -> None:
    fault = outcome(compile_stream(stream(**EACH), {}), {"id": 1, "tries": [{"text": "x"}, {"text": 7}]})
    assert fault == LineFault(SkipReason.WRONG_TYPE, "part 1: response: expected a text, found a number")


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"fields": {"response": "a"}}, "fields.task_id: is required"),
        ({"fields": {"task_id": "a"}, "preset": "openai-chat"}, 'Nearest: "openai_chat"'),
        (
            {"fields": {"task_id": {"lookup": "questions", "key": "q", "get": "t"}}},
            '"questions" is not a stream of role "lookup"',
        ),
        ({"fields": {"task_id": {"pat": "a"}}}, "stream runs: fields.task_id"),
    ],
)
def test_rules_that_cannot_be_used_name_stream_and_key(section: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        compile_stream(stream(**section), {})
    assert words in caught.value.fault.what_happened
    assert "stream runs" in caught.value.fault.what_happened
    assert caught.value.exit_code == ExitCode.USAGE


# --- whatever a line holds, a row is valid evidence or there is none --------------------------------

_TEXTS = st.text(max_size=8)
_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(0, 1),
    _TEXTS,
    st.sampled_from(["pass", "error", "accepted", "2023-08-17T08:28:04+02:00", "1.5 s", "[]", "user"]),
)
_JSON: st.SearchStrategy[Any] = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner)),
    max_leaves=6,
)
_TURNS = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant", "tool", "system", "nobody"])},
        optional={
            "content": st.one_of(_JSON, _TEXTS),
            "tool_calls": st.lists(
                st.fixed_dictionaries({"name": _LEAVES}, optional={"id": _LEAVES, "arguments": _JSON}),
                max_size=2,
            ),
            "tool_call_id": _LEAVES,
            "name": _LEAVES,
        },
    ),
    max_size=4,
)
_RULES = st.one_of(
    st.just("v"),
    st.just({"path": "v", "lenient": True}),
    st.just({"path": "v", "to_text": True}),
    st.just({"path": "v", "divide_by": 1e19, "lenient": True}),
    st.just({"join": "v"}),
    st.just({"template": "<{v}>"}),
    st.just({"path": "v", "duration": "seconds"}),
    st.just({"path": "v", "time": ["epoch_seconds", "iso"]}),
    st.just({"path": "v", "pass_at": 0.5}),
    st.just({"first_of": ["w", "v"]}),
)
_SINGLE = [
    name
    for name in EvidenceRecord.model_fields
    if name
    not in (
        "schema_version",
        "run_id",
        "stream",
        "provenance",
        "recorded_at",
        "messages",
        "flags",
        "human_override",
        "validation",
    )
]


@given(
    st.sampled_from(_SINGLE),
    _RULES,
    st.fixed_dictionaries(
        {"v": _JSON}, optional={"w": _LEAVES, "turns": _TURNS, "d": _LEAVES, "ok": _LEAVES}
    ),
)
def test_a_row_is_valid_by_construction(field: str, rule: Any, line: dict[str, Any]) -> None:
    fields: dict[str, Any] = {
        "task_id": {"const": "t"},
        "messages": "turns",
        "validation": {"ok": "ok"},
        "human_override": {"decision": "d", "by": "w", "at": {"path": "v", "lenient": True, "time": "iso"}},
        field: rule,
    }
    rows = outcome(compile_stream(stream(fields=fields), {}), line)
    if isinstance(rows, LineFault):
        assert rows.detail.split(":")[0] in (field, "messages", "validation.ok", "human_override")
        return
    for row in rows:
        EvidenceRecord.model_validate({**row, "recorded_at": "2026-01-01T00:00:00Z"})
