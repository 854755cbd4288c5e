"""Golden rows are taken and refused, and a loosened model does not pass them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field, create_model

from pipeline.schemas.golden_rows import GOLDEN_FOLDER, GoldenFailure, judge
from pipeline.schemas.preference import PreferenceSample
from pipeline.schemas.registry import BY_NAME, SCHEMAS, Schema
from pipeline.schemas.sft import SftSample

EVERY = pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.name)


def cases(schema: str) -> Iterator[dict[str, Any]]:
    with (GOLDEN_FOLDER / schema / "invalid.jsonl").open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def with_model(name: str, model: type[BaseModel]) -> Schema:
    return Schema(name, model, 1, BY_NAME[name].written_to)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOLDEN_FOLDER, tmp_path / "golden"))


@EVERY
def test_each_row_is_taken_or_refused_for_its_stated_reason(schema: Schema) -> None:
    examined, failures = judge(schema)
    assert failures == []
    assert examined >= 25


@EVERY
def test_each_field_has_a_row_without_it_and_there_is_a_row_with_one_too_many(schema: Schema) -> None:
    missing = {case["field"] for case in cases(schema.name) if case["reason"] == "missing"}
    assert set(schema.model.model_fields) <= missing
    assert any(case["reason"] == "extra_forbidden" for case in cases(schema.name))


@EVERY
def test_each_rule_beyond_single_fields_has_a_row_that_breaks_it(schema: Schema) -> None:
    builtin = {"missing", "extra_forbidden", "literal_error", "too_short", "no_such_moment"}
    own = {
        case["field"]
        for case in cases(schema.name)
        if case["reason"] not in builtin and not case["reason"].endswith(("_type", "_equal", "_mismatch"))
    }
    validators = schema.model.__pydantic_decorators__.field_validators.values()
    guarded = {field for decorator in validators for field in decorator.info.fields}
    assert guarded <= own


def test_the_folder_of_the_spec_is_where_the_rows_are() -> None:
    contracts = Path(__file__).parents[3] / "fixtures" / "contracts"
    assert contracts.resolve() == GOLDEN_FOLDER.resolve()
    assert {path.name for path in contracts.iterdir()} == set(BY_NAME)


def test_a_label_that_is_any_text_is_noticed() -> None:
    loosened = create_model("SftSample", __base__=SftSample, quality_score=(str, Field()))
    _, failures = judge(with_model("sft", loosened))
    assert "taken, but quality_score must be refused: literal_error" in [failure.why for failure in failures]
    assert all("quality_score" in failure.why for failure in failures)


def test_a_pair_guard_that_no_longer_compares_is_noticed() -> None:
    def passes(cls: type[BaseModel], value: Any) -> Any:
        return value

    guards = {name: classmethod(passes) for name in ("_runs_differ", "_texts_differ")}
    unguarded = type("Unguarded", (PreferenceSample,), {**guards, "__module__": __name__})
    kinds = {failure.why.split(": ")[-1] for failure in judge(with_model("preference", unguarded))[1]}
    assert kinds == {"self_pair", "same_text"}


def test_a_tightened_model_that_refuses_valid_rows_is_noticed() -> None:
    tightened = create_model("SftSample", __base__=SftSample, context=(None, Field()))
    files = {failure.file for failure in judge(with_model("sft", tightened))[1]}
    assert "valid.jsonl" in files


def test_a_row_refused_for_another_reason_counts_as_a_failure(folder: Path) -> None:
    path = folder / "skip_row" / "invalid.jsonl"
    case = json.loads(path.read_text(encoding="utf-8").splitlines()[0])
    assert case["reason"] == "missing"
    path.write_text(json.dumps({**case, "reason": "int_type"}) + "\n", encoding="utf-8")
    _, failures = judge(BY_NAME["skip_row"], folder)
    assert failures == [
        GoldenFailure(
            "skip_row",
            "invalid.jsonl",
            1,
            "refused for schema_version: missing instead of schema_version: int_type",
        )
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "there are no rows"),
        (b"{", "cannot be read: JSONDecodeError"),
        (b'{"row": {}}\n', "cannot be read: KeyError"),
    ],
)
def test_a_file_of_golden_rows_that_is_no_use_is_a_failure(folder: Path, content: bytes, why: str) -> None:
    (folder / "rag" / "invalid.jsonl").write_bytes(content)
    assert [failure.why for failure in judge(BY_NAME["rag"], folder)[1]] == [why]


def test_a_missing_file_of_golden_rows_is_a_failure(folder: Path) -> None:
    (folder / "rag" / "valid.jsonl").unlink()
    failures = judge(BY_NAME["rag"], folder)[1]
    assert [(failure.file, failure.why) for failure in failures] == [
        ("valid.jsonl", "cannot be read: FileNotFoundError")
    ]
