"""Values as shapes."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from console.report.plots import HEIGHT, WIDTH, bar, plot


def test_a_rise_goes_up_and_to_the_right() -> None:
    shape = plot([1.0, 2.0, 3.0], 2.0)
    xs, ys = zip(*shape.dots, strict=True)
    assert list(xs) == sorted(xs)
    assert list(ys) == sorted(ys, reverse=True)
    assert shape.baseline == HEIGHT / 2
    assert shape.path.count("L") == 2


def test_one_value_is_a_dot_on_the_right_and_none_is_nothing() -> None:
    assert plot([5.0]).path == ""
    ((x, _),) = plot([5.0]).dots
    assert x > WIDTH / 2
    assert plot([]).dots == ()


@given(st.lists(st.floats()), st.none() | st.floats())
def test_every_shape_lies_within_the_drawing(values: list[float], baseline: float | None) -> None:
    shape = plot(values, baseline)
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in shape.dots)
    assert shape.baseline is None or 0 <= shape.baseline <= HEIGHT
    assert len(shape.dots) == sum(math.isfinite(value) for value in values)


def test_a_bar_is_whole() -> None:
    pieces = bar([("a", 1), ("b", 0), ("c", None), ("d", 3)])
    assert [(each.name, each.start, each.width) for each in pieces] == [("a", 0.0, 25.0), ("d", 25.0, 75.0)]
    assert bar([("a", 0)]) == ()
