"""Rows climb one step at a time; what no step leads up from is a fault."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.contracts.faults import IntegrityError
from pipeline.schemas.migrations import STEPS, Row, upgrade
from pipeline.schemas.registry import BY_NAME
from tests.pipeline.schemas.rows import golden


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


def test_an_export_row_counts_as_version_1_and_gains_no_member() -> None:
    steps = {("sft", 1): lambda row: {**row, "context": row["context"] or ""}}
    upgraded = upgrade("sft", golden("sft"), target=2, steps=steps)
    assert upgraded["context"] == ""
    assert "schema_version" not in upgraded


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
