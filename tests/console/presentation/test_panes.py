"""What each pane says in each state."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from console.presentation.drift import drift_pane
from console.presentation.edge_lines import header_line
from console.presentation.event_log import log_line, log_pane, matching
from console.presentation.firewall import firewall_pane
from console.presentation.frame import PaneView, frame
from console.presentation.phases import phases_pane
from console.presentation.row_counts import _largest_first, _mix, rows_pane
from console.presentation.runs import runs_pane
from console.presentation.spans import Line, line, line_width, plain_text, to_ascii
from console.state.view_state import LogEntry
from pipeline.contracts.row_counts import Balance, StreamCounts
from pipeline.contracts.status import (
    DriftLine,
    DriftStatus,
    Finding,
    FirewallStatus,
    FirewallWord,
    Freshness,
    Origin,
    PhaseState,
    PhaseStatus,
    RowCounts,
)
from tests.console import states
from tests.console.states import NOW


def texts(lines: tuple[Line, ...] | list[Line]) -> str:
    return "\n".join(plain_text(spans).rstrip() for spans in lines)


def shown(view: PaneView) -> str:
    return texts(view.lines)


def test_a_breach_takes_over_the_whole_pane() -> None:
    view = firewall_pane(states.breach().firewall, NOW, 39)
    assert view.alarm
    assert shown(view).splitlines() == [
        " X BREACH  3 of 2,764 rows      for 4m",
        " exports/sft/instruction_response.jsonl",
        "   2762 label    needs_human_review",
        "   2763 lineage  scored rejected",
        "   2764 content  text of a rejected run",
        " cause: no receipt accounts for it",
    ]


def test_a_finding_in_another_file_names_it_and_is_no_row_of_the_export() -> None:
    pairs = "exports/preference/pairs.jsonl"
    status = replace(
        states.breach().firewall,
        forbidden_rows=4,
        findings_count=4,
        by_file=((pairs, 1), (states.SFT, 3)),
        findings=(
            Finding("evaluation", pairs, 3, None, "mint_runs/9", "holds 100% of the prompt of services:1"),
            *states.breach().firewall.findings,
        ),
    )
    lines = shown(firewall_pane(status, NOW, 39)).splitlines()
    assert lines[:5] == [
        " X BREACH  4 forbidden rows     for 4m",
        f" {states.SFT}",
        "   2762 label      needs_human_review",
        "   2763 lineage    scored rejected",
        "   2764 content    text of a rejected run",
    ]
    assert lines[5] == f" {pairs}"
    assert lines[6].startswith("      3 evaluation holds 100% of the prompt")


@pytest.mark.parametrize(
    ("said", "words", "role"),
    [
        ({"evaluation": "not_checked", "evaluation_sets": 0}, "not checked, none is declared", "warn"),
        ({"evaluation": "not_checked", "evaluation_sets": None}, "not checked", "warn"),
        ({"evaluation": "checked", "evaluation_refused": None}, "checked (1 set)", "dim"),
        (
            {"evaluation_sets": 2, "evaluation_refused": 1_204},
            "checked (2 sets, 1,204 rows quarantined)",
            "dim",
        ),
        (
            {"evaluation": "not_evaluated", "not_evaluated": (("evaluation", "services: it is empty"),)},
            "not evaluated: services: it is empty",
            "warn",
        ),
    ],
)
@pytest.mark.parametrize("width", [39, 79])
def test_evaluation_sets_are_checked_or_said_not_to_be(
    said: dict[str, Any], words: str, role: str, width: int
) -> None:
    view = firewall_pane(replace(states.clear(), **said), NOW, width)
    assert f"evaluation sets: {words}" in " ".join(shown(view).split())
    assert {span.role for spans in view.lines for span in spans if "evaluation sets" in span.text} == {role}


def test_the_walls_are_those_that_the_firewall_names() -> None:
    status = replace(states.clear(), walls=("label", "moat"), not_evaluated=(("keep", "rows of version 1"),))
    assert " label 0 · moat 0\n" in shown(firewall_pane(status, NOW, 39))
    assert " keep: not evaluated: rows of version 1\n" in shown(firewall_pane(status, NOW, 79))


@pytest.mark.parametrize("word", [word for word in FirewallWord if word is not FirewallWord.CLEAR])
def test_only_clear_is_written_in_the_ink_of_health(word: FirewallWord) -> None:
    view = firewall_pane(replace(states.clear(), state=word), NOW, 60)
    assert "ok" not in {span.role for spans in view.lines for span in spans}


def test_absent_says_that_nothing_was_examined() -> None:
    view = firewall_pane(FirewallStatus(FirewallWord.ABSENT, detail="quarantined"), NOW, 60)
    assert "- ABSENT  no live file" in shown(view)
    emptied = FirewallStatus(FirewallWord.CLEAR, Origin("live", NOW, Freshness.FRESH))
    assert "OK CLEAR  0 rows read" in shown(firewall_pane(emptied, NOW, 60))
    assert "row" not in shown(firewall_pane(FirewallStatus(FirewallWord.UNKNOWN), NOW, 60)).splitlines()[0]
    assert "not CLEAR" in shown(view)


def test_a_state_that_was_never_read_says_so() -> None:
    assert plain_text(firewall_pane(FirewallStatus(), NOW, 39).aside) == "not read"


def test_counts_that_are_not_known_are_not_shown_as_zero() -> None:
    view = rows_pane(RowCounts(), NOW, 39, 8)
    assert "? unknown" in shown(view)
    assert "0" not in shown(view)


def test_a_narrow_pane_shows_totals_with_bars() -> None:
    text = shown(rows_pane(states.rows(), NOW, 39, 8))
    assert " sources   12,753 lines" in text
    assert "  accepted   2,885 ▇" in text
    assert "taubench_airline" not in text


def test_a_wide_pane_lists_each_stream_and_the_sums() -> None:
    text = shown(rows_pane(states.rows(), NOW, 62, 30))
    assert "taubench_airline" in text
    assert "ok 12,753 lines = 12,453 mapped + 300 joined + 0 skipped" in text


def test_sums_that_do_not_add_up_are_shown_even_where_there_is_no_room() -> None:
    broken = replace(states.rows(), balances=(Balance("lines", 10, (("mapped", 9),)),))
    assert "X does not add up: 10 lines = 9 mapped" in shown(rows_pane(broken, NOW, 62, 3))
    assert "X does not add up" in shown(rows_pane(broken, NOW, 39, 3))


def test_stale_counts_step_back_and_say_why_in_the_title() -> None:
    stale = replace(states.rows(), origin=Origin("x", NOW - 90, Freshness.STALE))
    view = rows_pane(stale, NOW, 39, 8)
    assert plain_text(view.aside) == "~ stale, run 1m ago"
    assert "text" not in {span.role for spans in view.lines for span in spans}


@pytest.mark.parametrize(("width", "shown_name"), [(38, "quiz.jsonl"), (78, "data/_kb/quiz.jsonl")])
def test_a_log_that_no_stream_reads_is_named(width: int, shown_name: str) -> None:
    rows = replace(states.rows(), unread_logs=("data/_kb/quiz.jsonl", "data/_kb/z\x1b[2J.jsonl"))
    text = shown(rows_pane(rows, NOW, width, 30))
    assert f" ! 2 logs no stream reads: {shown_name[: width - 27]}" in text
    one = replace(rows, unread_logs=("data/_kb/\x1b[2J.jsonl",))
    assert "\x1b" not in shown(rows_pane(one, NOW, width, 30))
    assert "no stream reads" not in shown(rows_pane(states.rows(), NOW, width, 30))


def test_a_stream_with_skipped_lines_carries_a_mark() -> None:
    skipping = StreamCounts("mint_runs", lines=9, skipped=2, evidence=7, accepted=7)
    view = rows_pane(replace(states.rows(), streams=(skipping,)), NOW, 62, 30)
    assert "!mint_runs" in shown(view)


def test_a_running_phase_has_a_bar_and_no_invented_total() -> None:
    state = states.running()
    line_of = {text.split()[0]: text for text in shown(phases_pane(state.phases, NOW, 54, 10)).splitlines()}
    assert "» run     56% ▇" in line_of["P2"]
    assert "8,200/s" in line_of["P2"]
    assert "· next" in line_of["P4"]


@pytest.mark.parametrize(("seconds", "told"), [(0.4, False), (1.0, True)])
def test_a_rest_under_a_second_is_not_told(seconds: float, told: bool) -> None:
    phases = [
        replace(phase, progress=phase.progress and replace(phase.progress, seconds_left=seconds))
        for phase in states.running().phases
    ]
    assert (" left" in shown(phases_pane(tuple(phases), NOW, 54, 14))) is told


def test_before_the_workspace_was_read_no_phase_is_called_never() -> None:
    text = shown(phases_pane(states.unknown().phases, NOW, 37, 10, was_read=False))
    assert "never" not in text
    assert text.count("? unknown") == 10


def test_a_failed_phase_tells_why_where_there_is_room() -> None:
    text = shown(phases_pane(states.breach().phases, NOW, 54, 14))
    assert "X FAIL" in text
    assert "3 forbidden rows in the live SFT file" in text


@pytest.mark.parametrize("width", [37, 46, 54, 98])
@pytest.mark.parametrize("state", list(PhaseState))
def test_every_phase_state_fits_its_pane(state: PhaseState, width: int) -> None:
    phase = PhaseStatus("P6", "acceptance", state, Origin("r", NOW - 90_000), 4_000.0)
    view = phases_pane((phase,), NOW, width, 1)
    assert line_width(view.lines[0]) <= width


@pytest.mark.parametrize(
    ("drift", "was_read", "words"),
    [
        (DriftStatus(), True, "? never  no audit yet"),
        (DriftStatus(note="it cannot be read: torn"), True, "? never  it cannot be read: torn"),
        (
            DriftStatus(Origin("a", why="torn"), note="the report is torn"),
            True,
            "? unknown  the report is torn",
        ),
        (DriftStatus(note="not read yet"), False, "? unknown  not read yet"),
        (DriftStatus(Origin("a", NOW), note="not read yet"), False, "? unknown  not read yet"),
    ],
)
def test_drift_that_is_not_known_is_told_from_none_that_was_looked_for(
    drift: DriftStatus, was_read: bool, words: str
) -> None:
    view = drift_pane(drift, NOW, 60, 8, was_read=was_read)
    assert words in shown(view)
    assert ("no audit" in plain_text(view.aside)) is words.startswith("? never")


def test_no_audit_is_not_called_steady() -> None:
    view = drift_pane(DriftStatus(note="no audit yet"), NOW, 37, 8)
    assert "? never  no audit yet" in shown(view)
    assert plain_text(view.aside) == "no audit"


def test_a_moved_metric_is_marked_and_tells_its_cause() -> None:
    moved = DriftLine(
        "rows agbenchmark", "P2", 2555.0, 3675.0, 0.438, 14.2, "warn", causes=("1,120 new lines",)
    )
    text = shown(drift_pane(DriftStatus(Origin("a", NOW - 60), lines=(moved,)), NOW, 50, 8))
    assert "!rows agbenchmark" in text
    assert "  2,555  3,675  +44  14.2" in text
    assert "why  1,120 new lines" in text


def test_a_run_without_an_end_is_not_called_ok() -> None:
    run = replace(states.healthy().runs[0], finished=False, ok=None, run_hash=None)
    text = shown(runs_pane((run,), NOW, 54))
    assert " ? 06:29" in text
    assert "no end" in text


def test_the_trend_takes_two_runs() -> None:
    runs = states.healthy().runs
    assert "sft rows, 9 runs" in shown(runs_pane(runs, NOW, 54))
    assert "sft rows" not in shown(runs_pane(runs[:1], NOW, 54))


def test_every_run_can_be_scrolled_to() -> None:
    """What the frame counts as hidden is all there is, and scrolling shows it."""
    runs = states.healthy().runs
    view = runs_pane(runs, NOW, 54)
    hidden = len(runs) + 2 - 6
    assert f"↓ {hidden} more: z" in texts(frame(view, 56, 8))
    last = texts(frame(view, 56, 8, offset=hidden))
    assert "more" not in last
    assert last.splitlines()[-2].strip("│ ") == shown(view).splitlines()[-1].strip()


def test_the_log_has_the_clock_of_the_screen() -> None:
    """Times with another offset are those of the same clock."""
    east = LogEntry("2026-04-27T08:29:00+02:00", "info", "text")
    assert plain_text(log_line(east, 40)).startswith(" 06:29:00 ")
    assert "UTC" in plain_text(log_pane((east,), 40, 3).aside)


def test_the_log_shows_the_newest_lines_last() -> None:
    view = log_pane(states.healthy().log, 60, 2)
    assert [text.split()[0] for text in shown(view).splitlines()] == ["06:29:05", "06:29:06"]


def test_a_filter_takes_all_words_and_leaves_out_others() -> None:
    log = states.healthy().log
    assert len(matching(log, "FINISHED")) == 4
    assert len(matching(log, "finished !rows")) == 2
    assert [entry.level for entry in matching(log, "warning")] == ["warning"]


def test_hostile_log_text_becomes_visible_text() -> None:
    entry = LogEntry("2026-04-27T06:29:00Z", "error", "\x1b]52;c;eA==\x07[/x] \u202etxt")
    assert plain_text(log_line(entry, 80)).rstrip() == " 06:29:00 X \\x1b]52;c;eA==\\x07[/x] \\u202etxt"


def test_a_frame_counts_what_does_not_fit() -> None:
    view = PaneView(2, "ROWS", tuple(line(str(number)) for number in range(9)))
    drawn = texts(frame(view, 30, 6, offset=1))
    assert drawn.splitlines()[1] == "│1                           │"
    assert drawn.splitlines()[-1].startswith("└")
    assert "↑ 1  ↓ 4 more: z" in drawn.splitlines()[-1]
    assert "↓ 4 more: pgdn" in texts(frame(view, 30, 6, offset=1, zoomed=True))


@pytest.mark.parametrize(("width", "height"), [(4, 2), (12, 3), (39, 8), (200, 60)])
def test_a_frame_has_exactly_the_size_of_its_box(width: int, height: int) -> None:
    view = firewall_pane(states.breach().firewall, NOW, width - 2)
    drawn = frame(view, width, height, focused=True)
    assert [line_width(spans) for spans in drawn] == [width] * height


@pytest.mark.parametrize("width", [80, 100, 120])
def test_a_long_branch_pushes_nothing_away(width: int) -> None:
    state = states.healthy()
    git = replace(state.git, branch="feature/" + "very-long-name-" * 9, dirty=True)
    text = plain_text(header_line(replace(state, git=git), NOW, width))
    assert "feature…" in text or "feature/very" in text
    assert "… " in text
    assert " dirty" in text
    assert state.git.last_good_tag in text or "tag distill" in text
    assert (git.head or "")[:7] in text
    assert text.rstrip().endswith("Z")
    assert line_width(header_line(replace(state, git=git), NOW, width)) == width


def test_the_parts_of_a_mix_differ_without_colour_too() -> None:
    counts = StreamCounts("a", evidence=4, accepted=1, partially_accepted=1, needs_human_review=1, rejected=1)
    shown = _mix(counts, 8)
    assert "".join(span.text for span in shown).strip() == "▇▇▓▓▒▒╳╳"
    assert "".join(span.text for span in to_ascii(shown)).strip() == "##==--xx"


def test_the_largest_streams_come_first_and_keep_their_places_during_a_run() -> None:
    small, looked_up = StreamCounts("small", lines=9, evidence=3), StreamCounts("ids", lines=99, looked_up=99)
    large = StreamCounts("large", lines=9, evidence=8)
    rows = replace(states.rows(), streams=(small, looked_up, large), live=False)
    assert _largest_first(rows) == (large, small, looked_up)
    assert _largest_first(replace(rows, live=True)) == rows.streams
