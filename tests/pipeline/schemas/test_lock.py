"""A schema may change only together with its version, and a difference names the field."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import orjson
import pytest
from pydantic import BaseModel, ConfigDict, Field, create_model, field_validator

from pipeline.contracts.faults import IntegrityError
from pipeline.schemas.fingerprint import describe, fingerprint
from pipeline.schemas.lock import LOCK_FILE, differences, read_lock, write_lock
from pipeline.schemas.registry import BY_NAME, SCHEMAS, Schema
from pipeline.schemas.sft import SftSample


class Toy(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    id: str = Field(min_length=1)
    label: Literal["good", "fair"]
    line: int = Field(ge=1)


def toy(model: type[BaseModel] = Toy, version: int = 1) -> Schema:
    return Schema("toy", model, version, "toy.jsonl")


@pytest.fixture
def lock_file(tmp_path: Path) -> Path:
    path = tmp_path / "schemas.lock.json"
    assert write_lock(path, [toy()]) == ["toy"]
    return path


def changed(
    model: type[BaseModel], lock_file: Path, version: int = 1
) -> list[tuple[str, str | None, str | None]]:
    found = differences(read_lock(lock_file), [toy(model, version)])
    return [(difference.field, difference.locked, difference.now) for difference in found]


def test_the_committed_lock_holds_the_schemas_as_they_are() -> None:
    assert differences(read_lock()) == []
    assert set(read_lock()) == {schema.name for schema in SCHEMAS}


def test_locking_again_changes_no_byte(lock_file: Path) -> None:
    before = lock_file.read_bytes()
    assert write_lock(lock_file, [toy()]) == []
    assert lock_file.read_bytes() == before


class Loosened(Toy):
    label: str  # type: ignore[assignment]  # the mutation under test


class Unbounded(Toy):
    line: int


class Checked(Toy):
    @field_validator("id")
    @classmethod
    def _is_lower_case(cls, value: str) -> str:
        return value


class Optional(Toy):
    id: str = Field(default="x", min_length=1)


@pytest.mark.parametrize(
    ("model", "field", "was", "now"),
    [
        (Loosened, "label", "one of 'fair', 'good' required", "str required"),
        (Unbounded, "line", "int ge=1 required", "int required"),
        (Checked, "id", "str min_length=1 required", "str min_length=1 required _is_lower_case:field"),
        (Optional, "id", "str min_length=1 required", "str min_length=1 default='x'"),
        (create_model("More", __base__=Toy, note=(str, Field())), "note", None, "str required"),
    ],
)
def test_a_change_names_the_field(
    lock_file: Path, model: type[BaseModel], field: str, was: str | None, now: str
) -> None:
    assert changed(model, lock_file) == [(field, was, now)]


def test_a_field_that_is_gone_is_named(lock_file: Path) -> None:
    fewer = create_model(
        "Fewer", __config__=Toy.model_config, id=(str, Field(min_length=1)), line=(int, Field(ge=1))
    )
    assert changed(fewer, lock_file) == [("label", "one of 'fair', 'good' required", None)]


class Moved(BaseModel):
    model_config = Toy.model_config

    id: str = Field(min_length=1)
    line: int = Field(ge=1)
    label: Literal["good", "fair"]


def test_fields_that_changed_places_are_noticed(lock_file: Path) -> None:
    assert changed(Moved, lock_file) == [("line", "place 3", "place 2")]


@pytest.mark.parametrize(
    "config",
    [
        ConfigDict(extra="ignore"),
        ConfigDict(strict=False),
        ConfigDict(frozen=False),
        ConfigDict(allow_inf_nan=True),
    ],
)
def test_a_model_that_became_lenient_is_noticed(lock_file: Path, config: ConfigDict) -> None:
    lenient = type("Lenient", (Toy,), {"model_config": config, "__module__": __name__})
    assert [field for field, _, _ in changed(lenient, lock_file)] == ["(model)"]


def test_a_nested_field_is_named_by_its_path() -> None:
    fields = describe(BY_NAME["sft"].model)
    assert "ge=1" in fields["provenance.line"]
    assert fields["messages[].tool_calls"].startswith("str")


def test_the_real_wall_loosened_is_named(tmp_path: Path) -> None:
    loosened = create_model("SftSample", __base__=SftSample, quality_score=(str, Field()))
    schemas = [
        Schema("sft", loosened, BY_NAME["sft"].version, "x") if schema.name == "sft" else schema
        for schema in SCHEMAS
    ]
    found = differences(read_lock(), schemas)
    assert [(difference.schema, difference.field) for difference in found] == [("sft", "quality_score")]
    assert "same version" in found[0].sentence()


def test_a_changed_schema_is_not_locked_under_its_version(lock_file: Path) -> None:
    before = lock_file.read_bytes()
    with pytest.raises(IntegrityError) as caught:
        write_lock(lock_file, [toy(Loosened)])
    assert caught.value.fault.code == "schema_changed_without_version"
    assert caught.value.fault.value == "label"
    assert lock_file.read_bytes() == before


def test_a_changed_schema_is_locked_under_a_new_version(lock_file: Path) -> None:
    assert changed(Loosened, lock_file, version=2), "the lock is behind until it is written"
    assert write_lock(lock_file, [toy(Loosened, version=2)]) == ["toy"]
    assert changed(Loosened, lock_file, version=2) == []


@pytest.mark.parametrize("model", [Toy, Loosened])
def test_a_version_never_goes_down(lock_file: Path, model: type[BaseModel]) -> None:
    write_lock(lock_file, [toy(Toy, version=3)])
    with pytest.raises(IntegrityError):
        write_lock(lock_file, [toy(model, version=2)])


def test_schemas_come_and_go_without_a_version_of_their_own(lock_file: Path) -> None:
    other = Schema("other", Toy, 1, "other.jsonl")
    assert write_lock(lock_file, [toy(), other]) == ["other"]
    assert write_lock(lock_file, [other]) == ["toy"]
    assert set(read_lock(lock_file)) == {"other"}


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: b"[]",
        lambda content: b'{"schemas": []}',
        lambda content: content.replace(b"ge=1", b"ge=0"),
        lambda content: content.replace(b'"version": 1', b'"version": "1"'),
        lambda content: content.replace(b'"fields"', b'"field"'),
    ],
)
def test_a_damaged_lock_is_a_fault_and_not_a_crash(lock_file: Path, damage: Any) -> None:
    lock_file.write_bytes(damage(lock_file.read_bytes()))
    with pytest.raises(IntegrityError) as caught:
        read_lock(lock_file)
    assert caught.value.fault.code == "schema_lock_damaged"


def test_a_missing_lock_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="missing"):
        read_lock(tmp_path / "schemas.lock.json")


def test_the_fingerprint_covers_the_order_of_the_fields() -> None:
    fields = describe(Toy)
    assert fingerprint(fields) != fingerprint(dict(reversed(fields.items())))


def test_the_committed_lock_is_written_as_the_command_writes_it() -> None:
    content = LOCK_FILE.read_bytes()
    assert content == orjson.dumps(orjson.loads(content), option=orjson.OPT_INDENT_2) + b"\n"
