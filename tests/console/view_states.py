"""Small view states and the items that change them, for tests of how items are folded in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from console.state.derive import advance
from console.state.view_state import FirewallSeen, ViewState
from pipeline.contracts import events
from pipeline.contracts.checks import CheckResult, CheckStatus
from pipeline.contracts.moments import epoch_seconds
from pipeline.contracts.row_counts import ExportCounts, StreamCounts
from pipeline.contracts.status import (
    DriftStatus as DriftPane,
)
from pipeline.contracts.status import (
    EngineStatus,
    FirewallStatus,
    FirewallWord,
    Freshness,
    GitStatus,
    LockStatus,
    Origin,
    PhaseState,
    PhaseStatus,
    RowCounts,
    WorkspaceStatus,
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
        FirewallStatus(
            word, Origin("live", as_of, Freshness.FRESH), "f", 9, findings_count=count, forbidden_rows=count
        )
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


def check_event(seq: int, check_id: str, phase_id: str) -> events.CheckReported:
    check = CheckResult(
        id=check_id, phase=phase_id, required=True, status=CheckStatus.PASS, examined=5, failed=0
    )
    return events.CheckReported(seq=seq, at=AT, check=check)


def audit_started(command: str = "audit-full") -> events.RunStarted:
    stages = ("P2", "P3", "P7") if command == "audit-full" else ("P6",)
    return run_started().model_copy(update={"command": command, "stages": stages})
