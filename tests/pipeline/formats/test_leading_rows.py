"""Rows that show a loader something new stand first, and no others."""

from __future__ import annotations

from typing import Any

from pipeline.formats import leading_rows
from pipeline.formats.leading_rows import LeadingRows


def leaders(*rows: Any, size: int = 1) -> list[int]:
    leading = LeadingRows()
    for place, row in enumerate(rows):
        leading.look(place, row, size)
    return sorted(leading.places)


def message(**members: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", **members}]}


def test_a_member_that_comes_late_leads() -> None:
    plain, called = message(content="a"), message(content="a", tool_calls=[{"id": "c"}])
    assert leaders(plain, plain, called, plain, called) == [0, 2]


def test_a_type_that_comes_late_leads() -> None:
    assert leaders({"x": None}, {"x": 1}, {"x": 2}, {"x": 1.5}, {"x": "1"}) == [0, 1, 3, 4]


def test_two_sets_of_arguments_are_enough_to_see_that_they_differ() -> None:
    rows = [{"arguments": {"a": 1}}, {"arguments": {"a": 1}}, {"arguments": {}}, {"arguments": {}}]
    assert leaders(*rows) == [0, 2]
    assert leaders(*rows, {"arguments": {"b": 1}}) == [0, 2, 4], "its member is new"


def test_what_leads_fits_into_a_loaders_first_block() -> None:
    half = leading_rows._MOST_BYTES // 2
    assert leaders({"a": 1}, {"b": 1}, {"c": 1}, size=half) == [0, 1]
