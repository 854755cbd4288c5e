"""Names of data in a card: nothing hidden, no markup, no address, and no longer than a name may be."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from pipeline.card.markdown import cell, cell_of_digest, counted, most_first, table, yaml

LONG = "n" * 200


def test_a_name_is_cut_and_a_digest_is_not() -> None:
    assert len(cell(LONG)) == 80
    assert cell_of_digest(LONG) == LONG


@pytest.mark.parametrize(("most", "kept"), [(None, 200), (80, 80), (20, 20)])
def test_a_scalar_of_yaml_is_as_long_as_it_may_be(most: int | None, kept: int) -> None:
    assert len(json.loads(yaml(LONG, most))) == kept
    assert len(json.loads(yaml(LONG))) == 80


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a*b_c", r"a\*b\_c"),
        ("https://x", r"https\://x"),
        ("a|b", r"a\|b"),
        ("<b>&amp;", r"\<b\>\&amp;"),
        ("\x1b[2J", r"\\x1b\[2J"),
    ],
)
def test_a_name_is_no_markup(text: str, shown: str) -> None:
    assert cell(text) == shown
    assert cell_of_digest(text) == shown


def test_a_scalar_holds_whatever_a_name_holds() -> None:
    assert json.loads(yaml('a: "b" # \u202e')) == 'a: "b" # \\u202e'


def test_counts_come_the_largest_first_and_by_name_where_they_are_alike() -> None:
    counts = Counter({"b": 2, "a": 2, "c": 3000})
    assert most_first(counts) == [("c", 3000), ("a", 2), ("b", 2)]
    assert counted(counts) == "c 3,000, a 2, b 2"
    assert counted(Counter()) == "none"


def test_a_table_has_its_numbers_to_the_right() -> None:
    assert table(["name", "rows"], [["a", "1"]]) == "| name | rows |\n| --- | ---: |\n| a | 1 |"
