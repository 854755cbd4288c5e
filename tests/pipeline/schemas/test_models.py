"""What holds for every persisted row, whatever its fields."""

from __future__ import annotations

import importlib
from typing import Any

import orjson
import pytest
from pydantic import BaseModel, ValidationError

from pipeline.schemas.fingerprint import MODEL_KEY, describe, models_in
from pipeline.schemas.registry import BY_NAME, SCHEMAS, Schema
from tests.pipeline.schemas.rows import golden

EVERY = pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.name)
EXPORTS = ("rag", "sft", "preference")


def models_of(model: type[BaseModel]) -> list[type[BaseModel]]:
    nested = [part for info in model.model_fields.values() for part, _ in models_in(info.annotation)]
    return [model, *(inner for part in nested for inner in models_of(part))]


@EVERY
def test_a_schema_has_a_file_of_its_own_with_its_version(schema: Schema) -> None:
    module = importlib.import_module(f"pipeline.schemas.{schema.name}")
    assert schema.version == module.SCHEMA_VERSION
    assert getattr(module, schema.model.__name__) is schema.model


@EVERY
def test_a_row_names_the_version_that_its_schema_has(schema: Schema) -> None:
    if schema.name in EXPORTS:
        assert "schema_version" not in schema.model.model_fields
        return
    row = golden(schema.name)
    assert row["schema_version"] == schema.version
    with pytest.raises(ValidationError):
        schema.model.model_validate({**row, "schema_version": schema.version + 1})


@EVERY
def test_models_are_frozen_strict_and_closed(schema: Schema) -> None:
    for model in models_of(schema.model):
        assert describe(model)[MODEL_KEY].startswith(
            "allow_inf_nan=False extra=forbid frozen=True strict=True"
        )


@EVERY
def test_every_field_says_in_one_sentence_what_it_means(schema: Schema) -> None:
    for model in models_of(schema.model):
        for name, info in model.model_fields.items():
            sentence = info.description or ""
            assert sentence[:1].isupper() or sentence.startswith("run_hash"), f"{model.__name__}.{name}"
            assert sentence.endswith("."), f"{model.__name__}.{name}"


@EVERY
def test_every_validator_says_its_rule(schema: Schema) -> None:
    for model in models_of(schema.model):
        for name in model.__pydantic_decorators__.field_validators:
            assert (getattr(model, name).__doc__ or "").endswith("."), f"{model.__name__}.{name}"


# Of evidence that is not one line: no trainer's loader reads it, and a row of one line is as it was.
MAY_BE_ABSENT = {("EvidenceProvenance", "group"), ("EvidenceProvenance", "ranges")}


@EVERY
def test_every_field_is_required(schema: Schema) -> None:
    optional = {
        (model.__name__, name)
        for model in models_of(schema.model)
        for name, info in model.model_fields.items()
        if not info.is_required()
    }
    assert optional <= MAY_BE_ABSENT
    assert not optional or schema.name == "evidence"


@pytest.mark.parametrize(
    "name",
    [schema.name for schema in SCHEMAS if schema.name not in ("receipt", "run_summary", "incident_entry")],
)
def test_recorded_at_is_the_last_member_of_a_row(name: str) -> None:
    assert list(BY_NAME[name].model.model_fields)[-1] == "recorded_at"


@EVERY
def test_a_valid_row_comes_through_its_model_unchanged(schema: Schema) -> None:
    row = golden(schema.name)
    again = schema.model.model_validate(row).model_dump(mode="json", exclude_unset=True)
    assert orjson.loads(orjson.dumps(again)) == row
    assert list(again) == list(row)


@EVERY
def test_an_error_quotes_nothing_of_the_row(schema: Schema) -> None:
    row: dict[str, Any] = {**golden(schema.name), "recorded_at": "\x1b[31mstolen secret"}
    with pytest.raises(ValidationError) as caught:
        schema.model.model_validate(row)
    assert "secret" not in str(caught.value)


def test_names_are_unique_and_each_has_a_place_in_the_workspace() -> None:
    assert len(BY_NAME) == len(SCHEMAS) == 13
    assert len({schema.written_to for schema in SCHEMAS}) == len(SCHEMAS)
