"""A run, an audit or acceptance as their events tell them: stages, counts, checks, and the end."""

from __future__ import annotations

import pytest

from console.state.derive import advance
from console.state.view_state import CancelAsked, RunEnded, RunFollowed, StatusRead, ViewState, initial
from pipeline.contracts import events
from pipeline.contracts.checks import CheckResult, CheckStatus, DriftCause, DriftRow, DriftStatus
from pipeline.contracts.row_counts import ExportCounts
from pipeline.contracts.status import PhaseState, Progress
from tests.console.view_states import (
    AT,
    NOW,
    audit_started,
    check_event,
    folded,
    phase,
    progress,
    run_started,
    status,
)


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


def test_an_engine_that_says_nothing_raises_its_own_symptom() -> None:
    ended = RunEnded("", 1, before_first_event=True, stderr_tail=("File x.py, line 3", "ImportError: no y"))
    state = folded(initial("/w"), RunFollowed("", "run-all", ours=True, pid=7), ended)
    assert state.symptoms[0].id == "ENGINE.wont-start"
    assert state.symptoms[0].observed.endswith("exit code 1: ImportError: no y")
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


def started(seq: int, stage: str, total: int | None = None, at: str = AT) -> events.StageStarted:
    return events.StageStarted(seq=seq, at=at, stage=stage, bytes_total=total)


def heard(seq: int, stage: str, done: int, total: int, seconds: int) -> events.StageProgress:
    return events.StageProgress(
        seq=seq, at=f"2026-04-27T06:00:{seconds:02d}Z", stage=stage, rows_in=done, bytes_done=done,
        bytes_total=total, rows_per_second=5.0,
    )  # fmt: skip


def finished(seq: int, stage: str, ok: bool = True) -> events.StageFinished:
    return events.StageFinished(seq=seq, at=AT, stage=stage, ok=ok, elapsed_seconds=2.0)


def bar(state: ViewState, phase_id: str) -> Progress:
    found = phase(state, phase_id).progress
    assert found is not None
    return found


def test_stages_started_together_each_keep_a_bar_of_their_own() -> None:
    begun = (run_started(), started(2, "materialize", 100), started(3, "export", 400))
    state = folded(
        initial("/w"), *begun, heard(4, "materialize", 50, 100, 10), heard(5, "export", 100, 400, 10)
    )
    assert (bar(state, "P2").fraction, bar(state, "P4").fraction) == (0.5, 0.25)
    again = folded(state, heard(6, "materialize", 75, 100, 15))
    assert (bar(again, "P2").fraction, bar(again, "P4")) == (0.75, bar(state, "P4"))
    # Ten seconds for half of it, fifteen for three quarters: the time left is each stage's own.
    assert (bar(again, "P2").seconds_left, bar(again, "P4").seconds_left) == (5.0, 30.0)


def test_what_is_scored_in_the_same_pass_counts_the_rows_that_have_a_category() -> None:
    begun = (run_started(), started(2, "materialize", 100), started(3, "score", 100))
    state = folded(initial("/w"), *begun, progress(4, 25))
    assert bar(state, "P2").fraction == 0.25
    assert (bar(state, "P3").rows_done, bar(state, "P3").fraction) == (25, None)
    assert state.run is not None
    assert state.run.stage == "materialize"


def test_two_stages_of_one_phase_are_one_bar_which_ends_with_the_second() -> None:
    begun = (run_started(), started(2, "export-rag", 100), started(3, "export-sft", 300))
    state = folded(
        initial("/w"), *begun, heard(4, "export-rag", 100, 100, 5), heard(5, "export-sft", 100, 300, 5)
    )
    whole = bar(state, "P4")
    assert (whole.fraction, whole.rows_done, whole.rows_per_second) == (0.5, 200, 10.0)
    assert whole.doing == "export-rag + export-sft"
    half = folded(state, finished(6, "export-rag"))
    assert phase(half, "P4").state is PhaseState.RUN
    assert phase(folded(half, finished(7, "export-sft")), "P4").state is PhaseState.OK


def test_a_failed_stage_is_not_made_good_by_the_one_beside_it() -> None:
    begun = (run_started(), started(2, "export-rag", 100), started(3, "export-sft", 300))
    state = folded(initial("/w"), *begun, finished(4, "export-rag", ok=False))
    assert phase(state, "P4").state is PhaseState.FAIL
    later = folded(state, heard(5, "export-sft", 100, 300, 5), finished(6, "export-sft"))
    assert phase(later, "P4").state is PhaseState.FAIL


def test_no_flood_of_stages_is_kept_whole() -> None:
    state = folded(initial("/w"), run_started(), *(started(n, f"made-up-{n}") for n in range(2, 200)))
    assert state.run is not None
    assert len(state.run.at_work) <= 41


# Checks and drift


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
