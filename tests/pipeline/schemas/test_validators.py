"""The walls that exporters call: as strict as the models, without the stamp."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from pipeline.schemas.parts import UtcTimestamp
from pipeline.schemas.validators import (
    field_of,
    first_refusal,
    validate_preference,
    validate_rag,
    validate_sft,
)
from tests.pipeline.schemas.rows import golden, unstamped

WALLS = {
    "rag": validate_rag,
    "sft": validate_sft,
    "preference": validate_preference,
}
EVERY = pytest.mark.parametrize(("name", "validate"), WALLS.items())


@EVERY
def test_a_wall_takes_rows_that_are_not_stamped_yet(
    name: str, validate: Callable[[dict[str, Any]], None]
) -> None:
    for number in range(2):
        row = unstamped(name, number)
        validate(row)
        assert row == unstamped(name, number), "the row itself is left alone"


@EVERY
def test_a_wall_refuses_an_unknown_member(name: str, validate: Callable[[dict[str, Any]], None]) -> None:
    with pytest.raises(ValidationError) as caught:
        validate({**unstamped(name), "reference_solution": "42"})
    assert first_refusal(caught.value) == "reference_solution: extra_forbidden"


@pytest.mark.parametrize("label", ["rejected", "needs_human_review", "ACCEPTED", "", None, 1, True])
def test_no_other_label_enters_training_data(label: object) -> None:
    with pytest.raises(ValidationError) as caught:
        validate_sft({**unstamped("sft"), "quality_score": label})
    assert first_refusal(caught.value) == "quality_score: literal_error"
    with pytest.raises(ValidationError):
        validate_rag({**unstamped("rag"), "source_category": label})


def test_a_goal_never_passes_a_wall() -> None:
    for name in ("rag", "sft", "preference"):
        with pytest.raises(ValidationError) as caught:
            WALLS[name]({**unstamped(name), "goal": golden("evidence", 1)["goal"]})
        assert first_refusal(caught.value) == "goal: extra_forbidden"


def test_a_refusal_names_the_place_inside_a_conversation() -> None:
    row = unstamped("sft", 1)
    row["messages"][2]["tool_calls"] = [{"id": "call_1", "name": "find_booking", "arguments": "{}"}]
    with pytest.raises(ValidationError) as caught:
        validate_sft(row)
    assert first_refusal(caught.value) == "messages[2].tool_calls: string_type"


def test_a_place_of_the_row_itself_is_written_as_such() -> None:
    assert field_of(()) == "(row)"


@pytest.mark.parametrize("moment", ["2026-11-24T06:14:07Z", "2024-02-29T23:59:59.123456Z"])
def test_a_stamp_in_utc_is_taken(moment: str) -> None:
    TypeAdapter(UtcTimestamp).validate_python(moment)


@pytest.mark.parametrize(
    "moment",
    [
        "",
        "2026-11-24",
        "2026-11-24T06:14:07",
        "2026-11-24T06:14:07+00:00",
        "2026-02-29T00:00:00Z",
        "2026-11-24T06:14:07Z\n",
    ],
)
def test_any_other_stamp_is_refused(moment: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(UtcTimestamp).validate_python(moment)
