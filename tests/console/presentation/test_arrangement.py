"""The parts of the dashboard tile the screen at every size, and keep their places."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.presentation.arrangement import FOUR, PANES, Box, arrange, is_tiny, neighbour, panes_shown


def covered(boxes: dict[str, Box]) -> set[tuple[int, int]]:
    return {
        (x, y)
        for box in boxes.values()
        for x in range(box.x, box.x + box.width)
        for y in range(box.y, box.y + box.height)
    }


@given(
    st.integers(1, 220),
    st.integers(1, 70),
    st.integers(1, 9),
    st.booleans(),
    st.dictionaries(st.sampled_from(PANES), st.integers(2, 90)),
)
def test_every_cell_belongs_to_exactly_one_part(
    width: int, height: int, band: int, zoomed: bool, wants: dict[str, int]
) -> None:
    boxes = arrange(width, height, band, "rows", zoomed=zoomed, wants=wants)
    assert sum(box.width * box.height for box in boxes.values()) == width * height
    assert len(covered(boxes)) == width * height


@pytest.mark.parametrize(
    ("width", "height", "panes"),
    [(80, 24, FOUR), (120, 40, PANES), (200, 60, PANES), (79, 24, ("phases",)), (40, 10, ("phases",))],
)
def test_each_size_has_its_panes(width: int, height: int, panes: tuple[str, ...]) -> None:
    boxes = arrange(width, height, 1, "phases", zoomed=False)
    assert {name for name in boxes if name in PANES} == set(panes)


def test_the_smallest_screen_is_five_lines_of_words() -> None:
    assert is_tiny(20, 5)
    assert arrange(20, 5, 3, "rows", zoomed=True) == {"tiny": Box(0, 0, 20, 5)}
    assert panes_shown(20, 5) == ()


def test_the_alarm_keeps_its_room_when_the_band_grows() -> None:
    quiet = arrange(80, 24, 1, "rows", zoomed=False)
    loud = arrange(80, 24, 3, "rows", zoomed=False)
    assert loud["firewall"].height >= 8
    assert quiet["phases"].height == loud["phases"].height == 12


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (200, 60)])
def test_lines_that_would_be_blank_go_to_the_pane_that_overflows(width: int, height: int) -> None:
    plain = arrange(width, height, 1, "rows", zoomed=False)
    wants = {name: box.height for name, box in plain.items() if name in PANES}
    column = [name for name in wants if plain[name].x == plain["firewall"].x]
    wants["firewall"], wants[column[1]] = 5, plain[column[1]].height + 2
    boxes = arrange(width, height, 1, "rows", zoomed=False, wants=wants)
    given = min(2, plain["firewall"].height - 5)
    assert given > 0
    assert boxes["firewall"].height == plain["firewall"].height - given
    assert boxes[column[1]].height == plain[column[1]].height + given
    assert {name: box for name, box in boxes.items() if name not in column[:2]} == {
        name: box for name, box in plain.items() if name not in column[:2]
    }


def test_no_pane_gives_a_line_that_it_fills() -> None:
    plain = arrange(120, 40, 1, "rows", zoomed=False)
    wants = dict.fromkeys(PANES, 90)
    assert arrange(120, 40, 1, "rows", zoomed=False, wants=wants) == plain


@pytest.mark.parametrize(
    ("start", "step", "end"),
    [("firewall", 1, "phases"), ("rows", 1, "drift"), ("phases", -1, "firewall"), ("phases", 1, "phases")],
)
def test_left_and_right_go_to_the_pane_beside(start: str, step: int, end: str) -> None:
    assert neighbour(arrange(80, 24, 1, start, zoomed=False), start, step) == end
