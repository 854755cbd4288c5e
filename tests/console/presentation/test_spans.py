"""Lines are measured in terminal cells, and a cut is always marked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len  # noqa: TID253 (the painter's measure)

from console.presentation.spans import (
    _ONE_CELL_EACH,
    Span,
    cell_width,
    changed_columns,
    clusters,
    cut,
    cut_text,
    dimmed,
    fit,
    fit_text,
    line,
    line_width,
    plain_text,
    spread,
    wrap_text,
)

TEXTS = st.text(st.sampled_from("ab é漢字e\u0301…│1❤\ufe0f\u20e3👍🏽🇩"), max_size=20)


def test_what_is_measured_without_the_painter_is_as_wide_as_it_paints_it() -> None:
    own = [chr(code) for code in range(0x20, 0x3000) if _ONE_CELL_EACH.fullmatch(chr(code))]
    assert "─" in own
    assert {character: cell_len(character) for character in own} == dict.fromkeys(own, 1)


@given(st.text(max_size=20))
def test_clusters_are_the_whole_text_and_its_whole_width(text: str) -> None:
    found = clusters(text)
    assert "".join(cluster for cluster, _ in found) == text
    assert sum(cells for _, cells in found) == cell_width(text)


@given(TEXTS, st.integers(0, 24))
def test_fitted_text_is_exactly_as_wide_as_asked(text: str, width: int) -> None:
    assert cell_width(fit_text(text, width)) == width


@given(st.lists(TEXTS, max_size=4), st.integers(1, 24))
def test_a_fitted_line_is_exactly_as_wide_as_asked(texts: list[str], width: int) -> None:
    assert line_width(fit(line(*texts), width)) == width


@given(TEXTS, TEXTS, st.integers(1, 40))
def test_two_ends_always_fill_the_width(left: str, right: str, width: int) -> None:
    assert line_width(spread(line(left), line(right), width)) == width


@given(st.lists(st.text("abc de漢", max_size=12), min_size=1, max_size=4), st.integers(2, 12))
def test_wrapped_lines_keep_every_letter_and_the_width(words: list[str], width: int) -> None:
    text = " ".join(words)
    lines = wrap_text(text, width)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(cell_width(part) <= width for part in lines)


def test_a_cut_is_marked() -> None:
    assert cut_text("instruction", 6) == "instr…"


def test_a_wide_character_is_never_cut_in_half() -> None:
    assert cut_text("漢字漢字", 4) == "漢…"


def test_a_span_that_falls_out_whole_is_marked_too() -> None:
    assert plain_text(cut(line("abcd", Span("efgh", "warn")), 4)) == "abc…"


def test_blank_rest_needs_no_mark() -> None:
    assert plain_text(cut(line("abcd", Span("   ")), 4)) == "abcd"


def test_the_left_end_gives_way_to_the_right_one() -> None:
    assert plain_text(spread(line("a long title"), line("age"), 10)) == "a lon… age"


@pytest.mark.parametrize(
    ("before", "after", "columns"),
    [
        ("same", "same", None),
        ("rows 12", "rows 13", (6, 7)),
        ("abcdef", "abXYef", (2, 4)),
        ("short", "shorter", (5, 7)),
        ("", "new", (0, 3)),
    ],
)
def test_only_the_columns_that_differ_change(
    before: str, after: str, columns: tuple[int, int] | None
) -> None:
    assert changed_columns(list(before), list(after)) == columns


def test_what_is_not_believed_any_more_is_not_green_and_trouble_stays() -> None:
    spans = line(Span("ok", "ok"), Span("▇▇", "accepted"), "12", Span(" X", "fail"), Span("░", "groove"))
    assert [span.role for span in dimmed(spans)] == ["dim", "dim", "dim", "fail", "groove"]
