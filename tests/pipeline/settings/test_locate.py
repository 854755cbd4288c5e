"""The scanner that knows on which line each key of a TOML document stands."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.settings.locate import KeyPath, locate, nearest_line
from tests.pipeline.settings.toml_writer import quoted, written

DOCUMENT = '''\
# a comment with [brackets] and = signs
top = 1
"quoted key" . inner = "x # no comment"

[table]            # a table
a.b = [            # a list
  1,
  # between
  { c = 2, d = [3,
     4] },
  "]",
]
multi = """
[not_a_table]
x = 1 \\""" ""x"""
literal = \'\'\'
y = 2\'\'\'
after = 1979-05-27T07:32:00Z

[[stream]]
name = "one"
[stream.fields]
k = { const = "]}," }
[[stream.rule]]
r = 1
[[stream.rule]]
r = 2

[[stream]]
fields.k = "\\u0041\\"=" # x
[[stream.rule]]
r = 3
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 2),
        (("quoted key", "inner"), 3),
        (("table",), 5),
        (("table", "a"), 6),
        (("table", "a", "b"), 6),
        (("table", "a", "b", 0), 7),
        (("table", "a", "b", 1), 9),
        (("table", "a", "b", 1, "c"), 9),
        (("table", "a", "b", 1, "d", 0), 9),
        (("table", "a", "b", 1, "d", 1), 10),
        (("table", "a", "b", 2), 11),
        (("table", "multi"), 13),
        (("table", "literal"), 16),
        (("table", "after"), 18),
        (("stream", 0), 20),
        (("stream", 0, "name"), 21),
        (("stream", 0, "fields"), 22),
        (("stream", 0, "fields", "k"), 23),
        (("stream", 0, "fields", "k", "const"), 23),
        (("stream", 0, "rule", 0, "r"), 25),
        (("stream", 0, "rule", 1, "r"), 27),
        (("stream", 1), 29),
        (("stream", 1, "fields", "k"), 30),
        (("stream", 1, "rule", 0, "r"), 32),
    ],
)
def test_each_key_and_item_is_found_on_its_line(path: KeyPath, line: int) -> None:
    tomllib.loads(DOCUMENT)
    assert locate(DOCUMENT)[path] == line


def test_texts_inside_strings_are_not_texts() -> None:
    found = locate(DOCUMENT)
    assert ("not_a_table",) not in found
    assert ("table", "y") not in found
    assert ("table", "x") not in found


def test_carriage_returns_do_not_shift_lines() -> None:
    assert locate("a = 1\r\n\r\nb = 2\r\n") == {("a",): 1, ("b",): 3}


def test_the_nearest_line_is_that_of_the_table_around_a_missing_key() -> None:
    lines = locate("[export.sft]\nmax_tokens = 1\n")
    assert nearest_line(lines, ("export", "sft", "nothing", 3)) == 1
    assert nearest_line(lines, ("scoring", "accept_at")) is None


_texts = st.text(st.sampled_from("ab .=#[]{}\"'\\\n\té€😀"), max_size=6)
_scalars = st.one_of(st.integers(-9, 9), st.booleans(), _texts, st.floats(allow_nan=False, width=16))
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=8,
)


def _paths(value: Any, prefix: KeyPath) -> list[KeyPath]:
    found = [prefix]
    if isinstance(value, dict):
        for key, item in value.items():
            found += _paths(item, (*prefix, key))
    if isinstance(value, list):
        for index, item in enumerate(value):
            found += _paths(item, (*prefix, index))
    return found


@settings(deadline=None)
@given(st.dictionaries(_texts, _values, max_size=5))
def test_what_tomllib_finds_is_found_on_the_line_it_was_written_on(document: dict[str, Any]) -> None:
    text = "".join(f"{quoted(key)} = {written(value)}\n" for key, value in document.items())
    assert tomllib.loads(text) == document
    expected = {
        path: line for line, (key, value) in enumerate(document.items(), 1) for path in _paths(value, (key,))
    }
    assert locate(text) == expected


@settings(deadline=None)
@given(st.text(st.sampled_from("ab.=[]{}\"'\\\n\r\t ,#1u"), max_size=60))
def test_no_text_makes_it_raise(text: str) -> None:
    lines = locate(text)
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())


def test_deep_nesting_ends_the_search_instead_of_the_stack() -> None:
    assert locate("a = " + "[" * 5000)[("a",)] == 1
