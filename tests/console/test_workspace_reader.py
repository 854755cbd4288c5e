"""What one reading of a workspace says, and what it does not claim."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from console.reading.workspace_reader import WorkspaceReader
from pipeline.contracts import paths
from pipeline.contracts.status import FirewallWord, Freshness, PhaseState
from tests.console.readings import (
    phase,
    read,
    symptoms,
)
from tests.console.workspaces import (
    COUNTS,
    FINISHED,
    NOW,
    add_run,
    empty_workspace,
    workspace_after_a_run,
    write,
)


def test_a_fresh_workspace_claims_nothing(tmp_path: Path) -> None:
    status = read(empty_workspace(tmp_path))
    assert [known.state for known in status.phases] == [PhaseState.OK] + [PhaseState.NEVER] * 9
    assert status.rows.total.evidence is None
    assert "distill run-all" in status.rows.origin.why
    assert status.firewall.state is FirewallWord.ABSENT
    assert "no audit yet" in status.drift.note
    assert status.symptoms == ()
    assert status.notes == ()
    assert status.name == "night"


def test_a_run_speaks_for_p2_to_p5_and_for_nothing_else(tmp_path: Path) -> None:
    status = read(workspace_after_a_run(tmp_path))
    words = {known.id: known.state for known in status.phases}
    assert [words[key] for key in ("P2", "P3", "P4", "P5")] == [PhaseState.OK] * 4
    assert [words[key] for key in ("P1", "P6", "P7", "P8", "P9")] == [PhaseState.NEVER] * 5
    assert phase(status, "P3").elapsed_seconds == 0.5
    assert phase(status, "P3").origin.as_of == FINISHED.timestamp()
    assert status.notes == ()


def test_counts_come_from_the_summary_with_their_age(tmp_path: Path) -> None:
    rows = read(workspace_after_a_run(tmp_path)).rows
    assert rows.total.accepted == COUNTS["accepted"]
    assert [stream.stream for stream in rows.streams] == ["taubench"]
    assert {export.name: (export.rows, export.refused) for export in rows.exports} == {
        "rag": (5, 5),
        "sft": (4, 6),
        "preference": (2, 6),
    }
    assert rows.origin.as_of == FINISHED.timestamp()
    assert rows.origin.freshness is Freshness.FRESH
    assert all(balance.holds for balance in rows.balances)
    assert {balance.name for balance in rows.balances} == {"lines", "scored", "sft", "rag"}


def test_an_unscanned_export_is_never_clear(tmp_path: Path) -> None:
    firewall = read(workspace_after_a_run(tmp_path)).firewall
    assert firewall.state is FirewallWord.STALE
    assert "CLEAR when it was exported" in firewall.detail


def test_a_workspace_that_is_gone_is_an_error_and_nothing_else_is(tmp_path: Path) -> None:
    reader = WorkspaceReader(workspace_after_a_run(tmp_path / "w"))
    reader.read(NOW)
    shutil.rmtree(tmp_path / "w")
    with pytest.raises(FileNotFoundError):
        reader.read(NOW)


def test_a_reader_that_is_answer_cache_sees_what_is_new(tmp_path: Path) -> None:
    root = empty_workspace(tmp_path)
    reader = WorkspaceReader(root)
    assert reader.read(NOW).rows.total.evidence is None
    workspace_after_a_run(root)
    assert reader.read(NOW).rows.total.evidence == COUNTS["evidence"]


def test_the_recon_doc_and_the_replay_log_are_looked_at(tmp_path: Path) -> None:
    root = empty_workspace(tmp_path)
    (root / paths.RECON_DOC).write_text("")
    write(root, paths.SETTINGS, "[rotation]\nreplay_log_mb = 0.00001\n")
    write(
        root,
        paths.REPLAY_RUNS,
        json.dumps({"validation_result": {"ok": False}, "recorded_at": "2026-04-27T06:00:00Z"}) + "\n",
    )
    status = read(root)
    assert phase(status, "P0").state is PhaseState.FAIL
    assert phase(status, "P7").state is PhaseState.FAIL
    assert symptoms(status) == ["S1.P0.recon-doc", "S1.P7.replay", "S6.replay-log"]


def test_exports_that_fell_to_nothing_raise_s4(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    later = FINISHED + timedelta(seconds=30)
    add_run(root, run_id="20260427T060030Z-aaaa", finished=later, counts={"sft": 0, "quarantined_sft": 10})
    assert symptoms(read(root)) == ["S4.empty-exports"]


@pytest.mark.parametrize(
    ("code", "fault", "expected"),
    [
        (1, "export_emptied", ["S4.empty-exports"]),
        (1, "evidence_invalid", []),
        (3, "source_unreadable", []),
        (143, None, []),
    ],
)
def test_a_refusal_to_empty_an_export_raises_s4_and_another_failure_does_not(
    tmp_path: Path, code: int, fault: str | None, expected: list[str]
) -> None:
    root = workspace_after_a_run(tmp_path)
    for number in (1, 2):
        later = FINISHED + timedelta(seconds=30 * number)
        run_id = f"20260427T06003{number}Z-aaaa"
        nothing = dict.fromkeys(COUNTS, 0)
        add_run(root, run_id=run_id, finished=later, ok=False, exit_code=code, counts=nothing)
        told = {"code": fault, "file": str(paths.PREFERENCE_EXPORT)} if fault else None
        write(root, paths.events_file(run_id), {"type": "run.finished", "ok": False, "fault": told})
    # The second refusal in a row is no less one: what stands is still the last good run's.
    assert symptoms(read(root)) == expected


def test_an_export_that_a_single_stage_does_not_write_is_not_empty(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    later = FINISHED + timedelta(seconds=30)
    counts = {"rag": 0, "sft": 0, "preference": 0}
    add_run(root, run_id="20260427T060030Z-aaaa", finished=later, counts=counts, command="score")
    assert "S4.empty-exports" not in symptoms(read(root))


def test_a_failed_newer_run_fails_its_phases_and_the_good_rows_stand(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    later = FINISHED + timedelta(seconds=30)
    add_run(root, run_id="20260427T060030Z-aaaa", finished=later, ok=False, counts={"accepted": 0})
    status = read(root)
    assert phase(status, "P3").state is PhaseState.FAIL
    assert status.rows.total.accepted == COUNTS["accepted"]
    assert status.runs[0].ok is False
    assert status.runs[0].exit_code == 3


def test_a_run_that_was_cancelled_fails_no_phase(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    later = FINISHED + timedelta(seconds=30)
    add_run(root, run_id="20260427T060030Z-aaaa", finished=later, ok=False, exit_code=143)
    assert phase(read(root), "P3").state is PhaseState.OK


def test_an_interrupted_run_is_listed_as_such(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    write(root, paths.events_file("20260427T070000Z-bbbb"), "")
    row = read(root).runs[0]
    assert (row.finished, row.note) == (False, "ended before its commit")
    assert row.started == FINISHED.timestamp() + 3598
