"""What is generated from the models: the reference page and JSON Schema."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.contracts.machine_schemas import DIALECT
from pipeline.schemas.json_schema import json_schema, write_json_schemas
from pipeline.schemas.reference import page, readable_type
from pipeline.schemas.registry import SCHEMAS, Schema

EVERY = pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.name)


@EVERY
def test_every_schema_and_field_stands_on_the_page(schema: Schema) -> None:
    section = page().split(f"\n## {schema.name}\n")[1].split("\n## ")[0]
    assert schema.written_to in section
    for name in schema.model.model_fields:
        assert f"| `{name}` |" in section


@pytest.mark.parametrize(
    ("description", "words"),
    [
        ("null|str min_length=0", "str or null"),
        ("str min_length=1", "str, not empty"),
        ("int ge=0 le=9223372036854775807|null", "int ≥ 0 or null"),
        ("float ge=0 le=1", "float from 0 to 1"),
        ("null|str checked=_existing_moment pattern=^[0-9]{4}(\\.[0-9]{1,6})?Z$", "time or null"),
        ("str pattern=^rag-[0-9a-f]{16}$", "str matching `^rag-[0-9a-f]{16}$`"),
        ("one of 1 checked=_plain_integer", "1"),
    ],
)
def test_a_type_reads_as_words(description: str, words: str) -> None:
    assert readable_type(description) == words


@EVERY
def test_json_schema_is_closed_and_asks_for_every_field(schema: Schema) -> None:
    document = json_schema(schema)
    assert document["$schema"] == DIALECT
    assert document["$id"] == f"urn:distill:schema:{schema.name}:{schema.version}"
    assert document["additionalProperties"] is False
    assert document["required"] == list(schema.model.model_fields)
    for definition in document.get("$defs", {}).values():
        if definition.get("type") == "object":
            assert definition["additionalProperties"] is False


def test_json_schema_allows_only_two_labels() -> None:
    sft = json_schema(next(schema for schema in SCHEMAS if schema.name == "sft"))
    assert sft["properties"]["quality_score"]["enum"] == ["accepted", "partially_accepted"]


def test_json_schemas_are_written_with_the_same_bytes_every_time(tmp_path: Path) -> None:
    first = write_json_schemas(tmp_path / "a" / "deep")
    second = write_json_schemas(tmp_path / "b")
    assert [path.name for path in first] == [
        *(f"{schema.name}.schema.json" for schema in SCHEMAS),
        *(f"{name}.schema.json" for name in ("batch_report", "status", "event")),
    ]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert {path.name for path in (tmp_path / "b").iterdir()} == {path.name for path in second}
    assert json.loads(second[0].read_bytes())["title"] == "EvidenceRecord"
