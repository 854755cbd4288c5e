"""A workspace for each state that pictures are taken of, and the state itself."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from console.state.view_state import ViewState
from pipeline.contracts.status import GitStatus
from tests.console import check_reports, incident_folders, runbook_states, states
from tests.console.check_reports import AUDIT, AUDIT_EVENTS, FREEZE, FREEZE_EVENTS, HEAD, gates, result
from tests.console.row_workspaces import lineage_answer, with_rows
from tests.console.screens.test_runs import state_of
from tests.console.states import NOW
from tests.console.workspaces import add_run, workspace_after_a_run, write
from tests.console.written_engine import write_engine

_RUNS_AGO = (timedelta(hours=26), timedelta(hours=2, minutes=12))
# What the detectors said, on a workspace without a file.
RUNBOOK: dict[str, Callable[[], ViewState]] = {
    "all clear": runbook_states.none,
    "detected": runbook_states.detected,
    "not examined": runbook_states.never,
    "looking": runbook_states.looking,
    "detectors broken": runbook_states.broken,
}
INCIDENTS, WIZARD = "incidents", "wizard"


@contextmanager
def folder_of(base: Path, name: str) -> Iterator[Path]:
    """A workspace that screens can name without telling where this test ran."""
    before = Path.cwd()
    base.mkdir()
    os.chdir(base)
    try:
        yield Path(name)
    finally:
        os.chdir(before)


def prepare(root: Path, name: str) -> ViewState:
    """The files that go with a state, and the state itself."""
    if name in (*RUNBOOK, INCIDENTS, WIZARD):
        root.mkdir()
        if name == INCIDENTS:
            every_incident(root)
        return RUNBOOK.get(name, states.breach if name == WIZARD else states.healthy)()
    state: ViewState = getattr(states, name)()
    if name in ("removed", "unknown"):
        return state
    root.mkdir()
    if name in ("empty", "denied"):
        return state
    old = 51 * 3600 if name == "stale" else 0
    for number, ago in enumerate(reversed(_RUNS_AGO)):
        finished = datetime.fromtimestamp(NOW, UTC) - ago - timedelta(seconds=old)
        run_id = f"{finished:%Y%m%dT%H%M%SZ}-{number:04x}"
        if number == 0:
            workspace_after_a_run(root, run_id=run_id, finished=finished)
        else:
            add_run(root, run_id=run_id, finished=finished, counts={"evidence": 11, "accepted": 5})
    with_rows(root)
    _reports(root, name, old)
    broken = ("the row says ACCEPTED, its scored run says REJECTED",) if name == "breach" else ()
    answer = json.dumps(lineage_answer(broken=broken))
    write_engine(root, f"print({answer!r})")
    for path in sorted(root.rglob("*")):
        os.utime(path, (NOW - 7_920, NOW - 7_920))
    git = GitStatus(True, "main", HEAD, False, "distillation-v1.0.0", HEAD)
    drift = states.drifted() if name in ("healthy", "warn", "breach") else state.drift
    base = replace(state.base, runs=state_of(root).runs, drift=drift) if state.base is not None else None
    return replace(state, git=git, drift=drift, runs=state_of(root).runs, base=base)


def every_incident(root: Path) -> None:
    """An open one, three whose record cannot be believed, and one that is over."""
    incident_folders.open_incident(root)
    incident_folders.real_incident(root, "20260427-0712-s1-p0-recon-doc")
    incident_folders.broken_incident(root)
    incident_folders.unreadable_incident(root)
    incident_folders.piped_incident(root)


def _reports(root: Path, name: str, old: int) -> None:
    """Audit, acceptance and freeze as they would be in that state."""
    changed: dict[str, Any] = {}
    if name == "breach":
        changed = {"P4__sft_firewall": check_reports.leak()}
    elif name == "warn":
        words: dict[str, Any] = {
            "observed": "intercode_bash: -31 %",
            "detail": "accepted fell by 31 %",
            "failed": 1,
        }
        changed = {"P3__distribution": result("P3.distribution", "warn", **words)}
    checks = check_reports.audit_checks(**changed)
    write(root, AUDIT, check_reports.report("audit-full", checks, finished=NOW - 3_000 - old))
    acceptance = check_reports.report(
        "acceptance", check_reports.acceptance_checks(), finished=NOW - 3_400 - old
    )
    write(root, check_reports.ACCEPTANCE, acceptance)
    frozen = gates(git_clean="fail") if name == "breach" else gates()
    if name == "breach":
        frozen[0] |= {"observed": "2 changes", "detail": "not committed: README.md, exports/card.md"}
    notes = ["Nothing was tagged."]
    write(root, FREEZE, check_reports.freeze(frozen, finished=NOW - 2_400 - old, notes=notes))
    if name == "running":
        events = check_reports.events
        write(root, AUDIT_EVENTS, events("audit-full", checks[:5], started=NOW - 4, pid=48213, host="db2"))
        write(
            root, FREEZE_EVENTS, events("release-freeze", frozen[:2], started=NOW - 4, pid=48213, host="db2")
        )
