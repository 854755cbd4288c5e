"""Terminals without our characters get ASCII in the same number of cells."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from console.presentation.spans import Span, ascii_text, cell_width, plain_text, to_ascii
from pipeline.contracts.untrusted import visible


@given(st.text(max_size=30))
def test_what_comes_out_is_ascii_and_as_wide(found: str) -> None:
    text = visible(found)
    shown = ascii_text(text)
    assert shown.isascii()
    assert len(shown) == cell_width(text)


def test_a_cut_becomes_two_dots() -> None:
    assert ascii_text("instr…") == "inst.."


def test_marks_keep_their_meaning() -> None:
    assert ascii_text("» run ► cursor · next ╳") == "> run > cursor . next x"


def test_a_bar_is_hashes_and_a_sparkline_is_digits() -> None:
    shown = to_ascii((Span("▇▇░", "accent"), Span("▁▅▇█", "spark")))
    assert plain_text(shown) == "##.1578"
