"""An expression that would do too much stops before it has: on both sides of the bound, for any line."""

from __future__ import annotations

import inspect
import sys
import tracemalloc
from typing import Any

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jmespath.exceptions import JMESPathError

from pipeline.contracts.skips import SkipReason
from pipeline.settings import bounded_jmespath
from pipeline.settings.bounded_jmespath import BoundedSearch, TooMuchWorkError
from pipeline.settings.syntax import check_path
from pipeline.streams.misfit import MisfitError
from pipeline.streams.paths import compile_path

_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from(["", "a", "b c"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=3)
    ),
    max_leaves=15,
)
_EXPRESSIONS = (
    "a[*].b", "a[].b[]", "a.*.b", "*", "a[?b]", "a[?b == `1`].b | [0]", "a[?@ != b]", "a[1:]", "a[::-1]",
    "[a, b]", "[a, b][]", "{x: a, y: b[*]}", "a == b", "a < b", "!a || b && a", "length(a)", "keys(a)",
    "to_string(@)", "to_string(a)", "join(' ', a)", "join(b, a)", "contains(a, b)", "map(&b, a)",
    "sort_by(a, &b)", "max_by(a, &b).b", "reverse(a)", "merge(a, b)", "not_null(a, b)", "sum(a)",
    "values(a)[]", "type(a)", "to_array(a)", "ends_with(a, b)", "a[*][*]", "a[*].{x: @}[]", "@",
)  # fmt: skip


@given(st.sampled_from(_EXPRESSIONS), _VALUES)
def test_within_its_bound_a_search_finds_what_jmespath_finds(path: str, value: Any) -> None:
    try:
        expected: Any = jmespath.search(path, value)
    except (JMESPathError, TypeError, ValueError) as error:
        with pytest.raises(type(error)):
            BoundedSearch(path)(value)
        return
    assert BoundedSearch(path)(value) == expected


_DOUBLED_LIST = " | ".join(["[@, @][]"] * 60)
_DOUBLED_TEXT = " | ".join(["join('', [@, @])"] * 60)
_TREE = " | ".join(["[@, @]"] * 60)
_ESCAPED = "to_string([@])"
for _ in range(60):
    _ESCAPED = f"to_string([{_ESCAPED}])"

# Each of these made what it was asked for, until memory or patience ended.
HOSTILE = {
    "a list doubled": f"a | [@] | {_DOUBLED_LIST}",
    "a text doubled": f"text | {_DOUBLED_TEXT}",
    "a text escaped again and again": f"a && {_ESCAPED}",
    "a tree compared": f"(a | {_TREE}) == (a | {_TREE})",
    "a tree as text": f"a | {_TREE} | to_string(@)",
    "a tree searched": f"contains((a | {_TREE}), text)",
    "a projection in each item": f"a | [@] | {' | '.join(['map(&[@, @], @)[]'] * 60)}",
    "a filter in each item": f"a | [@] | {' | '.join(['[@, @][][?@]'] * 60)}",
    "slices of what grows": f"a | [@] | {' | '.join(['[@[:], @[::-1]][]'] * 60)}",
    "values of objects": f"a | {' | '.join(['{x: @, y: @}.*[]'] * 60)}",
    "glue": "join(text, split)",
}
LINE = {"a": ["x", "y"], "text": "long " * 1000, "split": ["p"] * 4_000}


@pytest.mark.parametrize("path", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_expression_stops_before_memory_is_spent(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    get = compile_path(path)
    monkeypatch.setattr(bounded_jmespath, "MAX_WORK", 20_000)
    tracemalloc.start()
    try:
        with pytest.raises(MisfitError) as caught:
            get(LINE)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert caught.value.reason == SkipReason.VALUE_OUT_OF_RANGE
    assert peak < 8 * 2**20


def test_settings_are_read_without_doing_what_they_ask() -> None:
    with pytest.raises(ValueError, match="values of an empty object"):
        check_path(f"@ | [@] | {_DOUBLED_LIST}")


@pytest.mark.parametrize(
    ("path", "line", "work"),
    [
        ("a[*].b", {"a": [{"b": 1}] * 5}, 5),
        ("a[]", {"a": [[1, 2, 3], 4]}, 2 + 3 + 4),
        ("a[?@]", {"a": [1, 2, 3]}, 3),
        ("a.*", {"a": {"x": 1, "y": 2}}, 2),
        ("a[1:]", {"a": [1, 2, 3]}, 3 + 2),
        ("length(a)", {"a": [1, 2, 3]}, 3),
        ("a == `[1]`", {"a": [1, 2]}, 5),
        ("join('', a)", {"a": ["x" * 256]}, 1 + 2 + 2),
    ],
)
def test_work_is_counted_to_the_value(
    path: str, line: dict[str, Any], work: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = BoundedSearch(path)
    monkeypatch.setattr(bounded_jmespath, "MAX_WORK", work)
    search(line)
    monkeypatch.setattr(bounded_jmespath, "MAX_WORK", work - 1)
    with pytest.raises(TooMuchWorkError):
        search(line)


def test_an_expression_that_goes_too_deep_is_a_skip() -> None:
    get = compile_path("a[*].not_null(not_null(not_null(not_null(not_null(@)))))")

    def at_depth(calls: int) -> Any:
        return get({"a": [1]}) if calls == 0 else at_depth(calls - 1)

    assert at_depth(1) == [1]
    with pytest.raises(MisfitError) as caught:
        at_depth(sys.getrecursionlimit() - len(inspect.stack(0)) - 12)
    assert caught.value.reason == SkipReason.VALUE_OUT_OF_RANGE
