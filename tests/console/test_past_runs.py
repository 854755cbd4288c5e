"""Of two runs within one second, every reader names the same as the newest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.contracts import paths
from pipeline.engine.last_run import committed_summaries
from pipeline.reading.latest_run import find_latest
from pipeline.reading.past_runs import RunReports, last_committed, summaries
from pipeline.reading.report_files import Notes
from tests.console.workspaces import write

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
