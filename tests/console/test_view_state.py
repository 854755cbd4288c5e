"""What is kept between items, and which panes are drawn again."""

from __future__ import annotations

from console.state.derive import advance
from console.state.view_state import (
    LOG_LIMIT,
    Noted,
    Pane,
    ReadFailed,
    Session,
    SessionChanged,
    StatusRead,
    TailSlice,
    Tick,
    cleaned,
    initial,
)
from pipeline.contracts.status import (
    FirewallWord,
    PhaseState,
)
from tests.console.view_states import (
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
