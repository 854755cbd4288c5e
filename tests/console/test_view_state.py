"""What is kept between items, which panes are drawn again, and that no order of items breaks it."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from console.state.derive import advance
from console.state.view_state import (
    LOG_LIMIT,
    CancelAsked,
    FirewallLost,
    Noted,
    Pane,
    ReadFailed,
    RunEnded,
    RunFollowed,
    Session,
    SessionChanged,
    StatusRead,
    TailSlice,
    Tick,
    cleaned,
    initial,
)
from pipeline.contracts import events
from pipeline.contracts.status import (
    Answer,
    FirewallWord,
    Freshness,
    PhaseState,
    Verdict,
)
from tests.console.view_states import (
    AT,
    NOW,
    firewall,
    folded,
    phase,
    progress,
    run_started,
    status,
)


def test_before_anything_is_read_all_is_unknown() -> None:
    state = advance(initial("/w"), Tick(), NOW)
    assert {known.state for known in state.phases} == {PhaseState.NEVER}
    assert state.firewall.state is FirewallWord.UNKNOWN
    assert state.rows.total.evidence is None


def test_only_panes_that_changed_are_dirty() -> None:
    state = cleaned(folded(initial("/w"), StatusRead(status()), firewall(FirewallWord.CLEAR)))
    assert advance(state, Tick(), NOW).dirty == frozenset()
    assert advance(state, StatusRead(status()), NOW).dirty == frozenset()
    assert advance(state, Noted("info", "hello"), NOW).dirty == {Pane.LOG}
    assert advance(state, SessionChanged(Session(actor="mara")), NOW).dirty == {Pane.STATUS_LINE}
    assert Pane.LOG not in advance(state, ReadFailed("gone"), NOW).dirty


def test_dirt_gathers_until_it_is_cleaned() -> None:
    state = cleaned(folded(initial("/w"), Tick()))
    state = folded(state, Noted("info", "a"), SessionChanged(Session(actor="mara")))
    assert state.dirty == {Pane.LOG, Pane.STATUS_LINE}
    assert cleaned(state).dirty == frozenset()


def test_the_log_keeps_the_newest_lines() -> None:
    state = folded(initial("/w"), *(Noted("info", str(number)) for number in range(LOG_LIMIT + 5)))
    assert len(state.log) == LOG_LIMIT
    assert state.log[-1].text == str(LOG_LIMIT + 4)


def test_a_verdict_grows_old_while_the_console_is_open() -> None:
    state = folded(initial("/w"), StatusRead(status()))
    later = advance(state, Tick(), NOW + 27 * 3600)
    assert phase(later, "P2").state is PhaseState.STALE


def test_an_unreadable_workspace_keeps_what_was_known_and_says_so() -> None:
    state = folded(initial("/w"), StatusRead(status()), ReadFailed("deleted underneath"))
    assert state.trouble == "deleted underneath"
    assert state.heard_at == NOW
    assert state.name == "night"
    assert folded(state, StatusRead(status())).trouble == ""


def test_a_gap_in_seq_is_noted_once_and_counts_what_is_missing() -> None:
    state = folded(initial("/w"), run_started(), progress(5, 10), progress(6, 11))
    assert state.lost_events == 3
    assert [entry.text for entry in state.log if "lost" in entry.text] == [
        "event stream: 3 events lost; counts catch up with the next report"
    ]


def test_damage_that_the_tailer_saw_is_noted() -> None:
    state = advance(initial("/w"), TailSlice(lost=2, garbage=1, lines=1), NOW)
    assert (state.lost_events, state.garbage_lines) == (2, 1)


def test_what_files_tell_live_is_as_old_as_its_first_reading_here_until_it_is_gone() -> None:
    def read(at: float, *answers: Answer) -> StatusRead:
        return StatusRead(status(answers=answers, read_at=at))

    def gone(verdict: Verdict, at: float) -> Answer:
        return Answer(verdict, "the doc is missing", at, id="S1.P0.recon-doc", since=at)

    state = folded(initial("/w"), read(NOW, gone(Verdict.DETECTED, NOW)))
    state = advance(state, read(NOW + 30, gone(Verdict.DETECTED, NOW + 30)), NOW + 30)
    assert [symptom.since for symptom in state.symptoms] == [NOW]
    state = advance(state, read(NOW + 40, gone(Verdict.CLEAR, NOW + 40)), NOW + 40)
    state = advance(state, read(NOW + 50, gone(Verdict.DETECTED, NOW + 50)), NOW + 50)
    assert [symptom.since for symptom in state.symptoms] == [NOW + 50]


# The firewall's word: an alarm stands, a CLEAR ends with its reading


def test_a_breach_fails_p4_and_leads_the_symptoms() -> None:
    drift = Answer(Verdict.DETECTED, "1 metric moved", NOW - 60, id="S2.drift")
    state = folded(
        initial("/w"), StatusRead(status(answers=(drift,))), firewall(FirewallWord.BREACH, count=3)
    )
    assert [symptom.id for symptom in state.symptoms] == ["S1.P4.sft-leak", "S2.drift"]
    assert phase(state, "P4").state is PhaseState.FAIL
    assert state.firewall.since == NOW
    assert {Pane.BAND, Pane.FIREWALL, Pane.PHASES} <= state.dirty


def test_a_breach_keeps_the_time_of_its_first_finding() -> None:
    state = folded(initial("/w"), firewall(FirewallWord.BREACH, count=1))
    state = advance(state, firewall(FirewallWord.BREACH, NOW + 30, 2), NOW + 30)
    assert state.firewall.since == NOW
    state = folded(
        state,
        firewall(FirewallWord.CLEAR, NOW + 40),
        firewall(FirewallWord.BREACH, NOW + 41, 1),
        now=NOW + 41,
    )
    assert state.firewall.since == NOW + 41


def test_clear_does_not_outlive_its_reading() -> None:
    state = folded(initial("/w"), firewall(FirewallWord.CLEAR))
    assert advance(state, Tick(), NOW + 9).firewall.state is FirewallWord.CLEAR
    assert advance(state, Tick(), NOW + 11).firewall.state is FirewallWord.STALE
    assert advance(state, Tick(), NOW + 61).firewall.state is FirewallWord.UNKNOWN


def test_a_reading_from_the_future_is_not_clear() -> None:
    state = folded(initial("/w"), firewall(FirewallWord.CLEAR, NOW + 3600))
    assert state.firewall.state is FirewallWord.UNKNOWN
    assert state.firewall.origin.freshness is Freshness.CLOCK


def test_the_death_of_the_watcher_silences_no_alarm_and_leaves_no_calm() -> None:
    clear = folded(initial("/w"), firewall(FirewallWord.CLEAR), FirewallLost("killed"))
    assert clear.firewall.state is FirewallWord.UNKNOWN
    assert clear.firewall.origin.why == "killed"
    breach = folded(initial("/w"), firewall(FirewallWord.BREACH, count=3), FirewallLost("killed"))
    assert breach.firewall.state is FirewallWord.BREACH
    assert breach.firewall.origin.freshness is Freshness.UNKNOWN


# Whatever arrives in whatever order

_TEXT = st.text(max_size=12)
_COUNT = st.integers(0, 2**40)
_STAGE = st.sampled_from(("materialize", "score", "export", "export-sft", "P7", "acceptance", "unheard-of"))
_TIME = st.one_of(st.just(AT), _TEXT, st.just("2026-04-27T06:00:07+02:00"))
_SEQ = st.integers(1, 50)
_EVENTS = st.one_of(
    st.builds(
        events.RunStarted,
        seq=_SEQ,
        at=_TIME,
        pipeline_run_id=_TEXT,
        command=_TEXT,
        workspace=_TEXT,
        pid=_COUNT,
        host=_TEXT,
        stages=st.lists(_STAGE, max_size=4).map(tuple),
    ),
    st.builds(events.StageStarted, seq=_SEQ, at=_TIME, stage=_STAGE),
    st.builds(
        events.StageProgress,
        seq=_SEQ,
        at=_TIME,
        stage=_STAGE,
        rows_in=_COUNT,
        bytes_done=_COUNT,
        bytes_total=st.none() | _COUNT,
        categories=st.dictionaries(_TEXT, _COUNT, max_size=3),
        by_stream=st.dictionaries(
            _TEXT, st.dictionaries(st.sampled_from(("evidence", "accepted", "odd")), _COUNT), max_size=3
        ),
    ),
    st.builds(
        events.StageFinished,
        seq=_SEQ,
        at=_TIME,
        stage=_STAGE,
        ok=st.booleans(),
        elapsed_seconds=st.floats(0, 9),
    ),
    st.builds(
        events.LogLine,
        seq=_SEQ,
        at=_TIME,
        message=_TEXT,
        fault=st.none() | st.dictionaries(_TEXT, _TEXT, max_size=2),
    ),
    st.builds(events.FirewallState, seq=_SEQ, at=_TIME, state=_TEXT, file=_TEXT),
    st.builds(events.RunFinished, seq=_SEQ, at=_TIME, ok=st.booleans(), exit_code=st.integers(0, 255)),
    st.builds(
        events.UnknownEvent, seq=_SEQ, at=_TIME, type=_TEXT, raw=st.dictionaries(_TEXT, _TEXT, max_size=2)
    ),
)
_FACTS = st.sampled_from(
    (
        Tick(),
        Noted("info", "x"),
        StatusRead(status()),
        firewall(FirewallWord.CLEAR),
        firewall(FirewallWord.BREACH, count=1),
        FirewallLost("gone"),
        RunFollowed("r", "run-all", ours=False),
        RunEnded("r", None, True),
        CancelAsked("r"),
        ReadFailed("gone"),
    )
)


@settings(max_examples=150, deadline=None)
@given(items=st.lists(st.one_of(_EVENTS, _FACTS), max_size=25), now=st.floats(0, 2e9))
def test_no_item_in_any_order_raises_and_the_shape_holds(items: list[Any], now: float) -> None:
    state = folded(initial("/w"), *items, now=now)
    assert [known.id for known in state.phases] == [f"P{number}" for number in range(10)]
    assert len(state.log) <= LOG_LIMIT
    assert state.run is None or state.run.progress.fraction is None or 0 <= state.run.progress.fraction <= 1


@settings(max_examples=60, deadline=None)
@given(items=st.lists(_EVENTS, max_size=20), cut=st.integers(0, 20))
def test_slices_show_what_single_events_show(items: list[Any], cut: int) -> None:
    one_by_one = folded(initial("/w"), *items)
    sliced = folded(initial("/w"), TailSlice(tuple(items[:cut]), 1), TailSlice(tuple(items[cut:]), 1))
    assert (sliced.run, sliced.rows, sliced.phases) == (one_by_one.run, one_by_one.rows, one_by_one.phases)
