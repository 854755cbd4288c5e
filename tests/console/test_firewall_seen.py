"""The firewall's word: an alarm stands, a CLEAR ends with its reading."""

from __future__ import annotations

from console.state.derive import advance
from console.state.view_state import FirewallLost, Pane, StatusRead, Tick, initial
from pipeline.contracts.status import (
    Answer,
    FirewallWord,
    Freshness,
    PhaseState,
    Verdict,
)
from tests.console.view_states import (
    NOW,
    firewall,
    folded,
    phase,
    status,
)


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
