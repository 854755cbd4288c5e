"""Rows climb one step at a time; what no step leads up from is a fault."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.contracts.faults import IntegrityError
from pipeline.schemas.golden_rows import GOLDEN_FOLDER
from pipeline.schemas.migrations import STEPS, Row, upgrade, version_of
from pipeline.schemas.registry import BY_NAME
from tests.pipeline.schemas.rows import golden


def old_rows(schema: str) -> list[Row]:
    lines = (GOLDEN_FOLDER / schema / "version-1.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def seconds_to_milliseconds(row: Row) -> Row:
    """A toy step, version 1 to 2."""
    row["detail"] = f"{row['detail']} in ms"
    return row


def line_becomes_lines(row: Row) -> Row:
    """A toy step, version 2 to 3."""
    row["lines"] = [row.pop("line")]
    return row


TOY_STEPS = {("skip_row", 1): seconds_to_milliseconds, ("skip_row", 2): line_becomes_lines}


def test_a_row_climbs_every_step_to_the_version_wanted() -> None:
    row = golden("skip_row")
    upgraded = upgrade("skip_row", row, target=3, steps=TOY_STEPS)
    assert upgraded["schema_version"] == 3
    assert upgraded["detail"] == f"{row['detail']} in ms"
    assert upgraded["lines"] == [row["line"]]
    assert "line" not in upgraded


def test_climbing_leaves_the_row_itself_alone() -> None:
    row = golden("skip_row")
    upgrade("skip_row", row, target=3, steps=TOY_STEPS)
    assert row == golden("skip_row")


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_a_row_of_the_present_version_is_left_as_it_is(name: str) -> None:
    row = golden(name)
    assert upgrade(name, row) is row


@pytest.mark.parametrize("export", ["rag", "sft", "preference"])
def test_a_row_of_an_export_tells_its_version_by_its_shape(export: str) -> None:
    assert [version_of(export, row) for row in old_rows(export)] == [1] * len(old_rows(export))
    assert version_of(export, golden(export)) == BY_NAME[export].version
    assert "schema_version" not in upgrade(export, old_rows(export)[0])


@pytest.mark.parametrize("export", ["rag", "sft", "preference"])
def test_a_row_of_version_1_has_afterwards_what_a_row_of_today_has(export: str) -> None:
    """And nothing of what it said is lost."""
    for row in old_rows(export):
        upgraded = upgrade(export, row)
        assert list(upgraded) == list(golden(export))
        BY_NAME[export].model.model_validate(upgraded)
        kept = {name for name in row if row[name] is not None} - {
            "tags",
            "messages",
            "prompt",
            "chosen",
            "rejected",
        }
        assert {name: upgraded[name] for name in kept} == {name: row[name] for name in kept}


def test_the_texts_and_calls_of_a_conversation_come_through_the_migration() -> None:
    old = old_rows("sft")[1]
    new = upgrade("sft", old)
    for before, after in zip(old["messages"], new["messages"], strict=True):
        assert after["content"] == (before["content"] or "")
        assert json.loads(after["tool_calls"] or "null") == before["tool_calls"]


@pytest.mark.parametrize(
    "change",
    [
        lambda row: row.pop("messages"),
        lambda row: row.update(messages=7),
        lambda row: row.update(messages=["x"]),
        lambda row: row.update(messages=[{}]),
        lambda row: row.pop("id"),
    ],
)
def test_what_is_no_row_of_its_version_is_a_fault_and_no_traceback(change: Any) -> None:
    row = old_rows("sft")[1]
    change(row)
    with pytest.raises(IntegrityError, match="no row of version 1"):
        upgrade("sft", row)


@pytest.mark.parametrize(
    ("version", "why"),
    [
        (2, "this engine knows 1"),
        (0, "not a version number"),
        (True, "not a version number"),
        ("1", "not a version number"),
    ],
)
def test_a_row_of_no_known_version_is_a_fault(version: Any, why: str) -> None:
    with pytest.raises(IntegrityError, match=why):
        upgrade("skip_row", {**golden("skip_row"), "schema_version": version})


def test_a_gap_in_the_steps_is_a_fault() -> None:
    steps = {("skip_row", 1): seconds_to_milliseconds}
    with pytest.raises(IntegrityError, match="no step leads on from version 2"):
        upgrade("skip_row", golden("skip_row"), target=3, steps=steps)


def test_every_older_version_has_a_step() -> None:
    wanted = {(schema.name, version) for schema in BY_NAME.values() for version in range(1, schema.version)}
    assert set(STEPS) == wanted
