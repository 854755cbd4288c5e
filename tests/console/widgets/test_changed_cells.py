"""A changed digit costs its own bytes, and a screen that is written bit by bit is the whole one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len  # noqa: TID253 (the painter's measure)
from rich.console import Console  # noqa: TID253 (what Textual paints with)
from rich.segment import Segment  # noqa: TID253
from rich.style import Style  # noqa: TID253
from textual._compositor import ChopsUpdate  # noqa: TID253 (what is cut here)
from textual.strip import Strip  # noqa: TID253

from console.tui.widgets.changed_cells import ChangedCells, from_column
from console.tui.widgets.terminal_output import steady
from tests.console.cell_terminal import CellTerminal

CONSOLE = Console(force_terminal=True, color_system="truecolor", width=80)
INK, OTHER = Style(color="#8ec6ff"), Style(color="#cdd6e0", bold=True)
WIDTH = 40
CLUSTERS = (*"ab 19»│漢字é", "e\u0301", "❤\ufe0f", "1\ufe0f\u20e3")
TEXT = st.lists(st.sampled_from(CLUSTERS), max_size=8).map("".join)


def written(after: Strip, left: int, right: int) -> str:
    update = ChopsUpdate([{0: after}], [(0, left, right)], [[WIDTH]])
    return ChangedCells.of(update).render_segments(CONSOLE)


def strip_of(texts: list[str]) -> Strip:
    segments = [Segment(text, (INK, OTHER)[number % 2]) for number, text in enumerate(texts) if text]
    return Strip(segments).adjust_cell_length(WIDTH)


def test_a_digit_costs_a_few_bytes_wherever_it_stands() -> None:
    line = strip_of(["│", " P2 evidence    ", " » run    100,004"])
    said = written(line, 33, 34)
    assert said == "\x1b[1;34H" + Strip([Segment("4", INK)]).render(CONSOLE)
    assert len(said) < 40


def test_a_line_that_changed_as_a_whole_is_written_as_a_whole() -> None:
    line = strip_of(["all of it"])
    assert written(line, 0, WIDTH) == "\x1b[1;1H" + line.render(CONSOLE)


def test_what_did_not_change_is_not_written() -> None:
    line = strip_of(["a" * 40])
    update = ChopsUpdate([{0: line, 40: line}], [(0, 40, 80)], [[40, 80]])
    assert ChangedCells.of(update).render_segments(CONSOLE) == "\x1b[1;41H" + line.render(CONSOLE)


def test_what_covers_the_widget_is_not_there_to_be_written() -> None:
    update = ChopsUpdate([{0: None}], [(0, 0, 10)], [[40]])
    assert ChangedCells.of(update).render_segments(CONSOLE) == ""


@given(st.lists(TEXT, max_size=4), st.integers(0, WIDTH))
def test_the_rest_of_a_line_stands_where_it_stood(texts: list[str], column: int) -> None:
    line = strip_of(texts)
    at, rest = from_column(line, column, 0)
    assert at <= column
    assert line.text.endswith(rest.text)
    assert cell_len(line.text[: len(line.text) - len(rest.text)]) == at
    assert [segment.style for segment in rest] == [segment.style for segment in line][-len(list(rest)) :]


@given(st.lists(TEXT, max_size=4), st.lists(TEXT, max_size=4))
def test_a_screen_written_bit_by_bit_is_the_whole_one(before: list[str], after: list[str]) -> None:
    old, new = strip_of(before), strip_of(after)
    whole, patched = CellTerminal(WIDTH, 1, cell_len), CellTerminal(WIDTH, 1, cell_len)
    whole.feed(steady("\x1b[1;1H" + new.render(CONSOLE)))
    patched.feed(steady("\x1b[1;1H" + old.render(CONSOLE)))
    cells = [_cells(strip) for strip in (old, new)]
    differ = [column for column in range(WIDTH) if cells[0][column] != cells[1][column]]
    if differ:
        patched.feed(steady(written(new, differ[0], differ[-1] + 1)))
    assert patched.row(0) == whole.row(0)


def _cells(strip: Strip) -> list[object]:
    """One key a cell, as ``Canvas`` compares them."""
    from console.presentation.spans import clusters

    found: list[object] = []
    for segment in strip:
        for cluster, cells in clusters(segment.text):
            found += [(cluster, half, segment.style) for half in range(cells)]
    return [*found, *([None] * WIDTH)][:WIDTH]
