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
from pipeline.engine.last_run import committed_summaries
from pipeline.reading.latest_run import find_latest
from pipeline.reading.past_runs import RunReports, last_committed, summaries
from pipeline.reading.report_files import Notes
from tests.console.workspaces import (
    COUNTS,
    FINISHED,
    NOW,
    add_run,
    empty_workspace,
    phase,
    read,
    symptoms,
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


# Of two runs within one second, every reader names the same as the newest

EARLY, LATE = "20260427T060000Z-ffff", "20260427T060000Z-0001"
OLDER = "20260427T055959Z-aaaa"


def test_two_runs_of_one_second_are_told_apart_by_their_summaries(tmp_path: Path) -> None:
    for name, started in ((EARLY, "06:00:00.100"), (LATE, "06:00:00.700"), (OLDER, "05:59:59.900")):
        summary = {"ok": True, "pipeline_run_id": name, "started_at": f"2026-04-27T{started}Z"}
        write(tmp_path, paths.summary_file(name), json.dumps(summary))
    assert RunReports(tmp_path).run_ids(Notes()) == [LATE, EARLY, OLDER]
    assert [name for name, _ in summaries(tmp_path)] == [LATE, EARLY, OLDER]
    newest = last_committed(tmp_path)
    assert newest is not None
    assert newest.pipeline_run_id == LATE


@pytest.mark.parametrize("remembered", [LATE, OLDER, "20990101T000000Z-none", None])
def test_a_clock_that_jumped_back_hides_the_last_run_from_nobody(
    tmp_path: Path, remembered: str | None
) -> None:
    """One rule: console, runbook and engine take the run that was committed last, whatever its name."""
    failed, ahead = "29991231T235960Z-dead", "29991231T235959Z-ffff"
    for name, is_ok in ((failed, False), (ahead, True), (LATE, True), (OLDER, True)):
        summary = {"ok": is_ok, "pipeline_run_id": name, "started_at": "2026-04-27T06:00:00Z"}
        write(tmp_path, paths.summary_file(name), json.dumps(summary))
    if remembered is not None:
        write(tmp_path, paths.RUN_STATE, json.dumps({"pipeline_run_id": remembered}))
    newest = remembered if remembered in (LATE, OLDER) else ahead
    names = RunReports(tmp_path).run_ids(Notes())
    assert sorted(names) == sorted((failed, ahead, LATE, OLDER))
    assert names[:2] == [failed, newest], "a run that failed since is newer, whatever it changed"
    found = find_latest(tmp_path, RunReports(tmp_path), names, Notes())
    told = last_committed(tmp_path)
    assert told is not None
    assert found.good_id == told.pipeline_run_id == newest
    assert next(committed_summaries(tmp_path))["pipeline_run_id"] == newest


def test_a_run_whose_receipt_leaves_the_workspace_has_none(tmp_path: Path) -> None:
    write(tmp_path, "outside.json", '{"outputs": [{"path": "x"}]}')
    stages = [
        {"stage": "export", "receipt": "../w/outside.json"},
        {"stage": "score", "receipt": "/etc/passwd"},
    ]
    summary = {"ok": True, "pipeline_run_id": LATE, "stages": stages}
    write(tmp_path / "w", paths.summary_file(LATE), json.dumps(summary))
    newest = last_committed(tmp_path / "w")
    assert newest is not None
    assert newest.receipts == {}
    assert newest.claims("export", "outputs") == []
