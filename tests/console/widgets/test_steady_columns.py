"""A digit right of any cluster stands in its column and is replaced, whatever the terminal measures."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len  # noqa: TID253 (the painter's measure is one of the terminals)

from console.tui.widgets.canvas import screen_text
from console.tui.widgets.terminal_output import steady
from pipeline.contracts.untrusted import visible
from tests.console import states
from tests.console.apps import StillApp
from tests.console.cell_terminal import CellTerminal, Widths, marks_take_a_cell, marks_take_nothing
from tests.console.changing_digit import FIELD_CELLS
from tests.console.terminals import Terminal, environment

TEXTS = (
    "e\u0301 in NFD",
    "❤\ufe0f heart",
    "⚠\ufe0f sign",
    "1\ufe0f\u20e3 keycap",
    "👩\u200d💻 joined",
    "👍🏽 tone",
    "🇩🇪 flag",
    "漢字 wide",
    "한글 in NFD",
    "שָׁלוֹם from the right",
    "مرحبا",
    "नमस्ते",
    "plain",
)
CHECKOUT = Path(__file__).parents[3]


@pytest.mark.parametrize("widths", [cell_len, marks_take_nothing, marks_take_a_cell])
def test_a_changed_digit_right_of_any_cluster_stands_alone_in_its_column(widths: Widths) -> None:
    shown = [visible(text) for text in TEXTS]
    argv = [sys.executable, "-m", "tests.console.changing_digit", *shown]
    with Terminal(argv, environment(PYTHONPATH=str(CHECKOUT), COLORTERM="truecolor")) as terminal:
        _assert_digits(terminal, widths, "1")
        terminal.send(b"n")
        _assert_digits(terminal, widths, "2")


def _assert_digits(terminal: Terminal, widths: Widths, digit: str) -> None:
    """The last line is painted last; when it has the digit, all have it."""
    last = len(TEXTS) - 1
    screen = CellTerminal(80, 24, widths)

    def is_painted(written: bytes) -> bool:
        nonlocal screen
        screen = CellTerminal(80, 24, widths)
        screen.feed(written.decode(errors="replace"))
        return screen.row(last, FIELD_CELLS) == digit

    terminal.read_until(is_painted, f"the digit {digit}")
    found = {TEXTS[row]: screen.row(row, FIELD_CELLS) for row in range(len(TEXTS))}
    assert found == dict.fromkeys(TEXTS, digit)


async def test_frames_of_a_picture_stay_straight_around_any_cluster() -> None:
    counted = states.rows()
    named = tuple(replace(counted.streams[0], stream=visible(text)) for text in TEXTS)
    read = states.status(rows=replace(counted, streams=named))
    app = StillApp(states.seen(read, states.clear()))
    async with app.run_test(size=(200, 60)) as pilot:
        await pilot.pause()
        framed = [row for row in screen_text(app.screen).splitlines() if row.endswith(("│", "┐", "┘"))]
    assert any("keycap" in row for row in framed)
    assert {cell_len(row) for row in framed} == {200}


def test_plain_text_and_sequences_are_written_as_they_are() -> None:
    written = "\x1b[38;2;1;2;3m┌─ rows 12 ─┐ 漢字 é\x1b[0m\x1b[4;1H\x1b]52;c;YQ==\x07"
    assert steady(written) == written


def test_a_mark_after_a_sequence_is_not_joined_to_the_sequence() -> None:
    assert steady("\x1b[0m\u0301x") == "\x1b[0m\u0301x"
