"""A plain path gives what JMESPath gives, faster."""

from __future__ import annotations

from typing import Any

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.skips import SkipReason
from pipeline.settings.syntax import check_path, plain_steps
from pipeline.streams.misfit import MisfitError
from pipeline.streams.paths import compile_path

_NAMES = st.sampled_from(["a", "b", "_c", "success_%"])
_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from(["", "text"])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_NAMES, inner, max_size=3)),
    max_leaves=12,
)
_LINES = st.dictionaries(_NAMES, _VALUES, max_size=4)


@st.composite
def _plain_paths(draw: st.DrawFn) -> str:
    path = ""
    for _ in range(draw(st.integers(1, 4))):
        if path and draw(st.booleans()):
            path += f"[{draw(st.integers(-3, 3))}]"
        else:
            name = draw(_NAMES)
            quoted = f'"{name}"' if "%" in name or draw(st.booleans()) else name
            path += f".{quoted}" if path else quoted
    return path


@given(_plain_paths(), _LINES)
def test_a_plain_path_finds_what_jmespath_finds(path: str, line: dict[str, Any]) -> None:
    assert plain_steps(path) is not None
    assert compile_path(path)(line) == jmespath.search(path, line)


def test_a_path_that_is_more_than_plain_is_jmespath() -> None:
    line = {"turns": [{"role": "user", "text": "a"}, {"role": "agent", "text": "b"}]}
    assert plain_steps("turns[?role=='agent'].text | [0]") is None
    assert compile_path("turns[?role=='agent'].text | [0]")(line) == "b"


def test_a_function_that_does_not_take_the_value_is_a_wrong_type() -> None:
    with pytest.raises(MisfitError) as caught:
        compile_path("length(a)")({"a": 7})
    assert caught.value.reason == SkipReason.WRONG_TYPE


@pytest.mark.parametrize(
    "path", ["a..b", ".a", "a.", "a b", "a[", "metrics.success-rate", "a[0]b", "nope(a)"]
)
def test_what_is_no_path_is_refused_before_any_line_is_read(path: str) -> None:
    with pytest.raises(ValueError, match="not a path"):
        check_path(path)


def test_a_name_that_needs_quotes_is_told_so() -> None:
    with pytest.raises(ValueError, match="stands in double quotes"):
        check_path("metrics.success_%")
