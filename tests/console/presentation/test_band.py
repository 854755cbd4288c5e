"""The line on top: symptoms, and how far it is known that there are none."""

from __future__ import annotations

import pytest

from console.presentation.band import band_height, band_lines, head_words, nothing_marked
from console.presentation.spans import line_width, plain_text
from pipeline.reading.symptom_answers import Tally
from runbook.symptoms import definitions
from tests.console import states
from tests.console.states import NOW


def band(state_name: str, width: int, rows: int) -> list[str]:
    state = getattr(states, state_name)()
    height = band_height(state.symptoms, rows, width)
    lines = band_lines(state.symptoms, 0, NOW, width, height, state.heard_at, state.trouble, state.tally)
    assert len(lines) == height
    return [plain_text(spans) for spans in lines]


def test_the_worst_symptom_stands_first_and_is_marked() -> None:
    lines = band("breach", 80, 24)
    known = len(definitions())
    assert lines[0].startswith(f"━━ 2 SYMPTOMS · {known} of {known} checks run, oldest 2h ━")
    assert lines[1].startswith("►X CRITICAL S1.P4.sft-leak  3 forbidden rows of 2,764")
    assert lines[2].startswith(" X error    └ S1.P5.summary")


def test_there_is_nothing_to_fix_only_where_all_was_checked() -> None:
    assert nothing_marked(Tally(evaluated=17)) == "0 symptoms: nothing to fix"
    for other in (Tally(evaluated=16, never=1), Tally(evaluated=16, unknown=1), Tally(evaluated=16, stale=1)):
        assert nothing_marked(other) == "0 symptoms so far, 16 of 17 checks run: W lists the others"


def test_before_the_first_answer_no_share_of_the_checks_is_told() -> None:
    assert head_words(1, Tally(), NOW) == "1 SYMPTOM · no check has run yet"


def test_symptoms_that_do_not_fit_are_counted() -> None:
    assert "2 SYMPTOMS, +1 more" in band("breach", 40, 12)[0]


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("state_name", ["breach", "healthy"])
@pytest.mark.parametrize(
    "tally",
    [
        Tally(evaluated=16, never=1, oldest=NOW - 780),
        Tally(evaluated=6, unknown=2, stale=8, never=1, oldest=NOW - 780),
    ],
)
def test_the_age_of_the_oldest_answer_is_never_cut_off(state_name: str, tally: Tally, width: int) -> None:
    state = getattr(states, state_name)()
    height = band_height(state.symptoms, 12, width)
    first = band_lines(state.symptoms, 0, NOW, width, height, NOW, tally=tally)[0]
    assert "oldest 13m" in plain_text(first)
    assert line_width(first) == width


@pytest.mark.parametrize(("since", "is_told"), [(None, False), (NOW - 1, False), (NOW - 14, True)])
def test_no_symptom_is_not_the_last_word_while_the_detectors_look(since: float | None, is_told: bool) -> None:
    tally = Tally(evaluated=5, stale=9, never=3, oldest=NOW - 120)
    (rule,) = band_lines((), 0, NOW, 80, 1, NOW, tally=tally, looking_since=since)
    assert (
        "detectors running for 14s · 0 symptoms so far, 5 of 17 checks run" in plain_text(rule)
    ) is is_told
    assert line_width(rule) == 80


def test_a_screen_that_has_not_heard_from_the_disk_says_its_age() -> None:
    assert "~ this screen is 10s old" in band("stale", 80, 24)[0]


def test_an_unreadable_workspace_is_the_headline() -> None:
    assert "? the workspace cannot be read: /srv/agent-logs-prod" in band("unknown", 80, 24)[0]
