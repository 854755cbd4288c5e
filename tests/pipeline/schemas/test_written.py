"""What reads a row's bytes and the model of the row agree on every row, good or spoilt."""

from __future__ import annotations

import copy
import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.schemas.golden_rows import GOLDEN_FOLDER
from pipeline.schemas.preference import PreferenceSample
from pipeline.schemas.rag import RagSample
from pipeline.schemas.sft import SftSample
from pipeline.schemas.validators import (
    refusal_of_preference,
    refusal_of_rag,
    refusal_of_sft,
    validate_preference,
    validate_rag,
    validate_sft,
)
from pipeline.schemas.written import (
    _Preference,
    _Rag,
    _Sft,
    is_written_preference,
    is_written_rag,
    is_written_sft,
)

STAMP = ("recorded_at",)
LATER = {"rag": STAMP, "sft": (*STAMP, "attempts", "passed"), "preference": STAMP}
JUDGES = {
    "rag": (validate_rag, is_written_rag),
    "sft": (validate_sft, is_written_sft),
    "preference": (validate_preference, is_written_preference),
}


def _rows(name: str, file: str) -> list[dict[str, Any]]:
    rows = []
    for line in (GOLDEN_FOLDER / name / file).read_bytes().splitlines():
        row = json.loads(line)
        row = row.get("row", row)
        rows.append({key: value for key, value in row.items() if key not in LATER[name]})
    return rows


VALID = {name: _rows(name, "valid.jsonl") for name in JUDGES}
NAMES = {name: sorted({key for row in rows for key in row} | {"goal"}) for name, rows in VALID.items()}
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, 1, -1, 2**63 - 1, 2**63, 0.0, 0.5, 1.0, 1.5, -0.1, 1e308]),
    st.sampled_from(
        ["", " ", "\n", "\u00a0", "a", "a b", "a  b", "A", "a\n", "\x00", "0" * 64, "0" * 64 + "\n"]
    ),
    st.sampled_from(["flat", "conversation", "train", "accepted", "rejected", "user", "assistant"]),
    st.sampled_from(["{}", "[]", "[1]", '{"a":1}', "[", '[{"id":"","name":"","arguments":""}]']),
    st.sampled_from([f"{name}-{'0' * 16}{end}" for name in ("sft", "rag", "pref") for end in ("", "\n")]),
    st.sampled_from([[], {}, [None], ["a"], {"a": 1}]).map(copy.deepcopy),
)


def _accepts(name: str, row: dict[str, Any]) -> tuple[bool, bool]:
    validate, reads = JUDGES[name]
    try:
        validate(row)
    except ValidationError:
        by_model = False
    else:
        by_model = True
    try:
        line = orjson.dumps(row) + b"\n"
    except orjson.JSONEncodeError:
        return by_model, False  # half of a surrogate pair: nobody can write it
    return by_model, reads(line)


@pytest.mark.parametrize("name", JUDGES)
def test_golden_rows_are_judged_alike(name: str) -> None:
    assert VALID[name]
    for row in VALID[name]:
        assert _accepts(name, row) == (True, True)
    for row in _rows(name, "invalid.jsonl"):
        assert len(set(_accepts(name, row))) == 1, row


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place inside a row that can be spoilt."""
    members: Any = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    found = []
    for key, inner in members:
        found += [(*path, key), *_places(inner, (*path, key))]
    return found


@settings(max_examples=300)
@given(st.sampled_from(sorted(JUDGES)), st.data())
def test_spoilt_rows_are_judged_alike(name: str, data: st.DataObject) -> None:
    row = copy.deepcopy(data.draw(st.sampled_from(VALID[name])))
    for _ in range(data.draw(st.integers(1, 2))):
        *way, last = data.draw(st.sampled_from(_places(row)))
        inner: Any = row
        for key in way:
            inner = inner[key]
        match data.draw(st.sampled_from(["change", "remove", "add", "copy"])):
            case "change":
                inner[last] = data.draw(VALUES)
            case "remove":
                del inner[last]
            case "add" if isinstance(inner, dict):
                inner[data.draw(st.sampled_from(NAMES[name]))] = data.draw(VALUES)
            case "copy" if isinstance(inner, list):
                inner.append(copy.deepcopy(inner[last]))
            case _:
                inner[last] = data.draw(VALUES)
        if not row:
            break
    by_model, by_bytes = _accepts(name, row)
    assert by_bytes == by_model, row


def test_the_two_have_the_same_members_in_the_same_order() -> None:
    for name, model, written in (
        ("rag", RagSample, _Rag),
        ("sft", SftSample, _Sft),
        ("preference", PreferenceSample, _Preference),
    ):
        assert [field for field in model.model_fields if field not in LATER[name]] == list(
            written.__struct_fields__
        )


def test_what_is_judged_is_what_is_written() -> None:
    """A value that is a row does not save a line that says something else."""
    for refusal, name, score in (
        (refusal_of_rag, "rag", "score"),
        (refusal_of_sft, "sft", "score"),
        (refusal_of_preference, "preference", "chosen_score"),
    ):
        row = VALID[name][0]
        spoilt = {**row, score: 2}
        assert refusal(row, orjson.dumps(row)) is None
        assert refusal(row, orjson.dumps(spoilt)) == "(row): not_as_written"
        assert refusal(spoilt, orjson.dumps(spoilt)) == f"{score}: less_than_equal"


def test_pairs_that_say_the_same_are_judged_alike() -> None:
    """What two answers have in common is not a matter of one member: the whole of each is compared."""
    row = VALID["preference"][0]
    (answer,) = row["chosen"]
    for content, is_pair in (
        (answer["content"] + " \n", False),
        (f"```\n{answer['content']}\n```", False),
        (answer["content"] + " Done.", True),
    ):
        spoilt = {**row, "rejected": [{**answer, "content": content}]}
        assert _accepts("preference", spoilt) == (is_pair, is_pair)
    assert _accepts("preference", {**row, "rejected_run_id": row["chosen_run_id"]}) == (False, False)
    assert _accepts("preference", {**row, "attempts": 1, "passed": 2}) == (False, False)
