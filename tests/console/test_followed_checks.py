"""Checks and drift as they arrive while an audit or acceptance works."""

from __future__ import annotations

import pytest

from console.state.view_state import (
    initial,
)
from pipeline.contracts import events
from pipeline.contracts.checks import CheckResult, CheckStatus, DriftCause, DriftRow, DriftStatus
from pipeline.contracts.status import (
    PhaseState,
)
from tests.console.view_states import (
    AT,
    audit_started,
    check_event,
    folded,
    phase,
    run_started,
)


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
