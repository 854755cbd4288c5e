from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.event_tail import TailSlice
from console.view_state import (
    LOG_LIMIT,
    CancelAsked,
    FirewallLost,
    FirewallSeen,
    Noted,
    Pane,
    ReadFailed,
    RunEnded,
    RunFollowed,
    Session,
    SessionChanged,
    StatusRead,
    Tick,
    ViewState,
    advance,
    cleaned,
    initial,
)
from pipeline.contracts import events
from pipeline.contracts.checks import CheckResult, CheckStatus, DriftCause, DriftRow, DriftStatus
from pipeline.contracts.status import (
    DriftStatus as DriftPane,
)
from pipeline.contracts.status import (
    EngineStatus,
    ExportCounts,
    FirewallStatus,
    FirewallWord,
    Freshness,
    GitStatus,
    LockStatus,
    Origin,
    PhaseState,
    PhaseStatus,
    RowCounts,
    Severity,
    StreamCounts,
    SymptomStatus,
    WorkspaceStatus,
    epoch_seconds,
)

AT = "2026-04-27T06:00:00Z"
NOW = epoch_seconds(AT) or 0.0


def status(**changes: Any) -> WorkspaceStatus:
    base = WorkspaceStatus(
        workspace="/w",
        name="night",
        read_at=NOW,
        phases=(PhaseStatus("P2", "evidence", PhaseState.OK, Origin("r", NOW - 60, Freshness.FRESH), 1.6),),
        rows=RowCounts(
            Origin("r", NOW - 60, Freshness.FRESH),
            StreamCounts("total", evidence=9),
            (),
            (ExportCounts("sft", 4, 5),),
        ),
        firewall=FirewallStatus(FirewallWord.STALE),
        drift=DriftPane(note="no audit yet"),
        symptoms=(),
        lock=LockStatus(),
        git=GitStatus(),
        engine=EngineStatus(),
    )
    return replace(base, **changes)


def firewall(word: FirewallWord, as_of: float = NOW, count: int = 0) -> FirewallSeen:
    return FirewallSeen(
        FirewallStatus(word, Origin("live", as_of, Freshness.FRESH), "f", 9, findings_count=count)
    )


def run_started(seq: int = 1) -> events.RunStarted:
    return events.RunStarted(
        seq=seq,
        at=AT,
        pipeline_run_id="20260427T060000Z-9f31",
        command="run-all",
        workspace="/w",
        pid=7,
        host="h",
        user="jun",
        stages=("materialize", "score", "export"),
    )


def progress(seq: int, done: int, at: str = AT) -> events.StageProgress:
    return events.StageProgress(
        seq=seq,
        at=at,
        stage="materialize",
        rows_in=done,
        bytes_done=done,
        bytes_total=100,
        rows_per_second=10.0,
        by_stream={
            "mint": {"lines": done, "evidence": done, "accepted": done - 1, "rejected": 1, "later": 3}
        },
        categories={"accepted": done - 1, "rejected": 1},
    )


def folded(state: ViewState, *items: Any, now: float = NOW) -> ViewState:
    for item in items:
        state = advance(state, item, now)
    return state


def phase(state: ViewState, phase_id: str) -> PhaseStatus:
    return next(known for known in state.phases if known.id == phase_id)


def test_before_anything_is_read_all_is_unknown() -> None:
    state = advance(initial("/w"), Tick(), NOW)
    assert {known.state for known in state.phases} == {PhaseState.NEVER}
    assert state.firewall.state is FirewallWord.UNKNOWN
    assert state.rows.total.evidence is None


def test_a_running_stage_has_a_bar_with_rate_and_time_left() -> None:
    state = folded(
        initial("/w"),
        run_started(),
        events.StageStarted(seq=2, at=AT, stage="materialize", bytes_total=100),
        progress(3, 25, at="2026-04-27T06:00:10Z"),
    )
    assert state.run is not None
    assert state.run.progress.fraction == 0.25
    assert state.run.progress.seconds_left == 30.0
    assert state.run.progress.rows_per_second == 10.0
    assert phase(state, "P2").state is PhaseState.RUN
    assert phase(state, "P2").progress == state.run.progress
    assert phase(state, "P4").state is PhaseState.NEXT


def test_counts_are_live_by_stream_and_category_and_exports_stand_until_the_commit() -> None:
    state = folded(initial("/w"), StatusRead(status()), run_started(), progress(2, 25))
    assert state.rows.live
    (mint,) = state.rows.streams
    assert (mint.stream, mint.evidence, mint.accepted, mint.rejected) == ("mint", 25, 24, 1)
    assert state.rows.total.accepted == 24
    assert state.rows.exports == (ExportCounts("sft", 4, 5),)


def test_what_waits_keeps_its_last_age_and_duration() -> None:
    state = folded(initial("/w"), StatusRead(status()), run_started())
    waiting = phase(state, "P2")
    assert waiting.state is PhaseState.NEXT
    assert waiting.elapsed_seconds == 1.6
    assert waiting.origin.as_of == NOW - 60


def test_after_the_run_the_disk_speaks_again() -> None:
    state = folded(
        initial("/w"),
        run_started(),
        progress(2, 100),
        events.StageFinished(seq=3, at=AT, stage="materialize", ok=True, elapsed_seconds=2.5),
        events.RunFinished(seq=4, at=AT, ok=True, exit_code=0, run_hash="ab" * 32),
    )
    assert phase(state, "P2").state is PhaseState.OK
    assert state.rows.live
    state = advance(state, StatusRead(status(read_at=NOW + 1)), NOW + 1)
    assert not state.rows.live
    assert state.rows.total.evidence == 9
    assert phase(state, "P2").elapsed_seconds == 1.6
    assert state.run is not None
    assert (state.run.ended, state.run.ok, state.run.run_hash) == (True, True, "ab" * 32)


def test_a_failed_stage_fails_its_phase_and_the_rest_was_not_evaluated() -> None:
    state = folded(
        initial("/w"),
        run_started(),
        events.StageFinished(seq=2, at=AT, stage="score", ok=False, elapsed_seconds=0.1),
        events.RunFinished(
            seq=3,
            at=AT,
            ok=False,
            exit_code=3,
            fault={"what_happened": "disk full", "do_next": "make room", "x": 1},
        ),
    )
    assert phase(state, "P3").state is PhaseState.FAIL
    assert phase(state, "P4").state is PhaseState.NEVER
    assert [entry.text for entry in state.log][-2:] == ["what happened: disk full", "do next: make room"]


def test_a_breach_fails_p4_and_leads_the_symptoms() -> None:
    drift = SymptomStatus("S2.drift", Severity.WARNING, "1 metric moved", Origin())
    state = folded(
        initial("/w"), StatusRead(status(symptoms=(drift,))), firewall(FirewallWord.BREACH, count=3)
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


def test_an_engine_that_says_nothing_raises_its_own_symptom() -> None:
    ended = RunEnded("", 1, before_first_event=True, stderr_tail=("File x.py, line 3", "ImportError: no y"))
    state = folded(initial("/w"), RunFollowed("", "run-all", ours=True, pid=7), ended)
    assert state.symptoms[0].id == "ENGINE.wont-start"
    assert state.symptoms[0].origin.why == "ImportError: no y"
    assert state.run is not None
    assert state.run.ended
    assert not state.run.ok
    assert "ImportError: no y" in [entry.text for entry in state.log]
    state = advance(state, RunFollowed("", "run-all", ours=True), NOW)
    assert state.symptoms == ()


def test_a_killed_run_is_told_from_a_finished_one() -> None:
    state = folded(
        initial("/w"), run_started(), RunEnded("20260427T060000Z-9f31", None, False, reason="killed")
    )
    assert state.run is not None
    assert (state.run.ended, state.run.ok, state.run.outcome) == (True, False, "killed")
    signalled = folded(initial("/w"), run_started(), RunEnded("20260427T060000Z-9f31", -9, False))
    assert signalled.run is not None
    assert signalled.run.outcome == "ended without a last event, killed by SIGKILL"
    finished = folded(
        initial("/w"),
        run_started(),
        events.RunFinished(seq=2, at=AT, ok=True, exit_code=0),
        RunEnded("", 0, False),
    )
    assert finished.run is not None
    assert finished.run.ok


@pytest.mark.parametrize(
    ("code", "outcome", "level"),
    [(143, "stopped as asked, exit 143", "warning"), (3, "failed, exit 3", "error")],
)
def test_a_run_that_was_cancelled_has_not_failed(code: int, outcome: str, level: str) -> None:
    finished = events.RunFinished(seq=2, at=AT, ok=False, exit_code=code)
    state = folded(initial("/w"), run_started(), finished)
    assert state.run is not None
    assert state.run.outcome == outcome
    assert state.log[-1].level == level


def test_our_own_run_stays_ours_when_it_tells_its_name() -> None:
    state = folded(initial("/w"), RunFollowed("", "run-all", ours=True, pid=7), run_started())
    assert state.run is not None
    assert state.run.ours
    other = folded(initial("/w"), RunFollowed("20260427T060000Z-9f31", "run-all", ours=False), run_started())
    assert other.run is not None
    assert not other.run.ours


def test_cancelling_is_shown_until_the_run_ends() -> None:
    state = folded(initial("/w"), run_started(), CancelAsked("20260427T060000Z-9f31"))
    assert state.run is not None
    assert state.run.cancelling
    assert folded(initial("/w"), CancelAsked("nothing")).run is None


def test_checks_decide_their_phase_by_the_worst_of_them() -> None:
    def reported(seq: int, check_status: CheckStatus, *, required: bool = True) -> events.CheckReported:
        check = CheckResult(
            id=f"P3.c{seq}", phase="P3", required=required, status=check_status, examined=5, failed=0
        )
        return events.CheckReported(seq=seq, at=AT, check=check)

    state = folded(initial("/w"), run_started(), reported(2, CheckStatus.PASS))
    assert phase(state, "P3").state is PhaseState.RUN
    state = folded(state, reported(3, CheckStatus.FAIL, required=False))
    assert phase(state, "P3").state is PhaseState.WARN
    state = folded(state, reported(4, CheckStatus.ERROR), reported(5, CheckStatus.PASS))
    assert phase(state, "P3").state is PhaseState.FAIL
    assert phase(state, "P3").failed_checks == ("P3.c3", "P3.c4")
    assert state.log[-1].examined == 5


def test_drift_rows_arrive_flagged_first() -> None:
    def row(seq: int, metric: str, word: DriftStatus) -> events.DriftReported:
        drift = DriftRow(
            metric=metric,
            phase="P2",
            baseline=1,
            current=2,
            delta_ratio=1,
            z=9,
            status=word,
            causes=(DriftCause(dimension="stream", name="mint", baseline=2555, current=3675, share=1.0),),
        )
        return events.DriftReported(seq=seq, at=AT, row=drift)

    state = folded(
        initial("/w"),
        run_started(),
        row(2, "same", DriftStatus.SAME),
        row(3, "moved", DriftStatus.WARN),
        row(4, "same", DriftStatus.SAME),
    )
    assert [line.metric for line in state.drift.lines] == ["moved", "same"]
    assert state.drift.lines[0].causes == ("stream mint 2,555 → 3,675, 100% of the change",)


def test_a_gap_in_seq_is_noted_once_and_counts_what_is_missing() -> None:
    state = folded(initial("/w"), run_started(), progress(5, 10), progress(6, 11))
    assert state.lost_events == 3
    assert [entry.text for entry in state.log if "lost" in entry.text] == [
        "event stream: 3 events lost; counts catch up with the next report"
    ]


def test_damage_that_the_tailer_saw_is_noted() -> None:
    state = advance(initial("/w"), TailSlice(lost=2, garbage=1, lines=1), NOW)
    assert (state.lost_events, state.garbage_lines) == (2, 1)


def test_only_panes_that_changed_are_dirty() -> None:
    state = cleaned(folded(initial("/w"), StatusRead(status()), firewall(FirewallWord.CLEAR)))
    assert advance(state, Tick(), NOW).dirty == frozenset()
    assert advance(state, StatusRead(status()), NOW).dirty == frozenset()
    assert advance(state, Noted("info", "hello"), NOW).dirty == {Pane.LOG}
    assert advance(state, SessionChanged(Session(actor="mara")), NOW).dirty == {Pane.STATUS_LINE}
    assert Pane.LOG not in advance(state, ReadFailed("gone"), NOW).dirty


def test_dirt_gathers_until_it_is_cleaned() -> None:
    state = cleaned(initial("/w"))
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


def check_event(seq: int, check_id: str, phase_id: str) -> events.CheckReported:
    check = CheckResult(
        id=check_id, phase=phase_id, required=True, status=CheckStatus.PASS, examined=5, failed=0
    )
    return events.CheckReported(seq=seq, at=AT, check=check)


def audit_started(command: str = "audit-full") -> events.RunStarted:
    stages = ("P2", "P3", "P7") if command == "audit-full" else ("P6",)
    return run_started().model_copy(update={"command": command, "stages": stages})


def test_a_phase_is_not_ok_before_its_last_check_has_passed() -> None:
    state = folded(initial("/w"), audit_started(), check_event(2, "P2.dry-run", "P2"))
    assert phase(state, "P2").state is PhaseState.RUN
    assert phase(state, "P8").state is PhaseState.RUN
    state = folded(state, check_event(3, "P3.coverage", "P3"))
    assert (phase(state, "P2").state, phase(state, "P3").state) == (PhaseState.OK, PhaseState.RUN)


def test_acceptance_is_running_until_its_end() -> None:
    state = folded(initial("/w"), audit_started("acceptance"), check_event(2, "A01", "P6"))
    assert phase(state, "P6").state is PhaseState.RUN
    state = folded(state, events.RunFinished(seq=3, at=AT, ok=True, exit_code=0))
    assert phase(state, "P6").state is PhaseState.OK


@pytest.mark.parametrize(
    ("exit_code", "last", "whole"),
    [
        (0, PhaseState.OK, PhaseState.OK),
        (1, PhaseState.OK, PhaseState.FAIL),
        (3, PhaseState.NEVER, PhaseState.NEVER),
        (143, PhaseState.NEVER, PhaseState.NEVER),
    ],
)
def test_an_audit_that_came_to_no_verdict_says_nothing_of_what_it_had_begun(
    exit_code: int, last: PhaseState, whole: PhaseState
) -> None:
    state = folded(initial("/w"), audit_started(), check_event(2, "P7.replay", "P7"))
    state = folded(state, events.RunFinished(seq=3, at=AT, ok=exit_code == 0, exit_code=exit_code))
    assert (phase(state, "P7").state, phase(state, "P8").state) == (last, whole)
