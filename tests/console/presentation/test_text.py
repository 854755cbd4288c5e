"""Cells, counts, marks and names: measured as a terminal paints them, and no cut without its mark."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len  # noqa: TID253 (the painter's measure)

from console.presentation.checks import full_name
from console.presentation.counts import bar_cells, count, measured, rate, share, sparkline
from console.presentation.row_list import example_line
from console.presentation.spans import (
    _ONE_CELL_EACH,
    Span,
    ascii_text,
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
    to_ascii,
    wrap_text,
)
from console.reading.skip_tally import SkipExample
from pipeline.contracts.plurals import plural
from pipeline.contracts.untrusted import visible

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


# Counts, shares and bars never round something to nothing or nearly all to all


def test_not_known_is_not_zero() -> None:
    assert (count(None), count(0), count(12_703)) == ("-", "0", "12,703")


def test_one_is_singular() -> None:
    assert (plural(1, "row"), plural(2_764, "row")) == ("1 row", "2,764 rows")


@pytest.mark.parametrize(
    ("part", "whole", "words"),
    [(0, 10, "0%"), (1, 1000, "<1%"), (999, 1000, "99%"), (1000, 1000, "100%"), (1, 0, "-")],
)
def test_shares_tell_something_from_nothing(part: int, whole: int, words: str) -> None:
    assert share(part, whole) == words


@given(st.integers(0, 10**9), st.integers(1, 10**9), st.integers(2, 80))
def test_a_bar_is_empty_only_at_nothing_and_full_only_at_all(part: int, whole: int, width: int) -> None:
    cells = bar_cells(part, whole, width)
    assert (cells == 0) == (part == 0)
    assert (cells == width) == (part >= whole)


@given(st.lists(st.floats(-1e9, 1e9), max_size=40), st.integers(0, 20))
def test_a_sparkline_has_one_cell_a_value(values: list[float], width: int) -> None:
    assert len(sparkline(values, width)) == min(len(values), width)


def test_a_sparkline_spans_its_own_range() -> None:
    assert sparkline([1, 2, 3], 8) == "▁▅█"
    assert sparkline([5, 5], 8) == "▄▄"


def test_rates_are_short() -> None:
    assert (rate(None), rate(940.0), rate(12_400.0)) == ("", "940/s", "12k/s")


# Terminals without our characters get ASCII in the same number of cells


@given(st.text(max_size=30))
def test_what_comes_out_is_ascii_and_as_wide(found: str) -> None:
    text = visible(found)
    shown = ascii_text(text)
    assert shown.isascii()
    assert len(shown) == cell_width(text)


def test_a_cut_becomes_two_dots_and_three_where_blanks_follow() -> None:
    assert ascii_text("instr…") == "inst.."
    assert ascii_text("Start run-all…   s") == "Start run-all... s"


def test_marks_keep_their_meaning() -> None:
    assert ascii_text("» run ► cursor · next ╳") == "* run > cursor . next x", "no mark looks like the cursor"
    assert ascii_text("2,555 → 3,675") == "2,555 ->3,675", "no claim that the first is the greater"


def test_a_bar_is_hashes_and_a_sparkline_has_no_digit() -> None:
    shown = to_ascii((Span("▇▇░", "accent"), Span("▁▅▇█", "spark")))
    assert plain_text(shown) == "##._=*#"


# What stands beside a check's id


def test_an_invariant_is_named_beside_its_id() -> None:
    assert full_name("A13") == "A13 firewall-blocks"
    assert full_name("P4.sft-firewall") == "P4.sft-firewall"


def test_a_reference_is_copied_and_so_has_no_separators() -> None:
    shown = example_line(SkipExample(0, "data/agent_runs.jsonl", 1257, None, "not an object"), 80)
    assert "data/agent_runs.jsonl:1257" in "".join(span.text for span in shown)


def test_a_metric_is_told_to_its_last_row_and_a_share_to_what_one_reads_of_it() -> None:
    values = (None, 12_345.0, 0.123456, float("inf"))
    assert [measured(value) for value in values] == ["-", "12,345", "0.1235", "inf"]
