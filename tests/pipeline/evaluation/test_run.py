"""The evaluation wall in a run: refused rows, the report, receipts and run_hash."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode
from tests.pipeline.engine.workspaces import (
    ONE_STREAM,
    RECORDED_AT,
    encoded,
    engine,
    flat_line,
    rows,
    run_all,
)
from tests.pipeline.evaluation.workspaces import DECLARED, make


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Ten tasks of five attempts; the question of task 3 is an item of the test set."""
    return make(tmp_path, flat_line(15)["ask"].upper() + "!", ONE_STREAM + DECLARED)


def report(root: Path) -> dict[str, Any]:
    return dict(orjson.loads((root / paths.DECONTAMINATION).read_bytes()))


def test_runs_of_a_test_question_stand_in_no_training_file(workspace: Path) -> None:
    run_all(workspace)
    for relative in (paths.SFT_EXPORT, paths.PREFERENCE_EXPORT):
        tasks = {row["task_id"] for row in rows(workspace, relative)}
        assert "t3" not in tasks
        assert len(tasks) == 9
    assert "t3" in {row["task_id"] for row in rows(workspace, paths.RAG_EXPORT)}
    for relative in (paths.SFT_QUARANTINE, paths.PREFERENCE_QUARANTINE):
        held = [row for row in rows(workspace, relative) if row["reason"] == "evaluation_overlap"]
        assert held
        assert {row["detail"] for row in held} == {"services:1 prompt, 100%"}
    told = report(workspace)
    assert told["checked"] is True
    assert told["sets"][0]["rows_refused"] == len(told["rows"]) == 5
    assert engine(workspace, "verify-export", str(workspace / "exports")).returncode == ExitCode.OK
    assert engine(workspace, "card").returncode == ExitCode.OK
    card = (workspace / paths.DATASET_CARD).read_text(encoding="utf-8")
    assert "Evaluation sets: checked (1 set, 5 rows quarantined)." in card
    (workspace / paths.DECONTAMINATION).write_bytes(b"{}\n")
    assert engine(workspace, "card").returncode == ExitCode.CHECK_FAILED


def test_the_same_rows_for_any_division_of_the_work_and_from_written_evidence(workspace: Path) -> None:
    whole = run_all(workspace, "--no-cache", "--workers", "1")["run_hash"]
    divided = run_all(workspace, "--no-cache", "--workers", "2", "--chunk-bytes", "1KiB")
    assert divided["run_hash"] == whole
    exported = engine(workspace, "export", "--json")
    assert json.loads(exported.stdout)["run_hash"] == whole


def test_a_changed_set_changes_rows_and_run_hash(workspace: Path) -> None:
    before = run_all(workspace)["run_hash"]
    assert run_all(workspace)["run_hash"] == before
    (workspace / "test_set.jsonl").write_bytes(encoded([{"q": flat_line(20)["ask"]}]))
    ended = engine(workspace, "run-all", "--json", "--recorded-at", RECORDED_AT)
    assert ended.returncode == ExitCode.FIREWALL_BREACH, "what stood held an item of the new set"
    assert json.loads(ended.stdout)["run_hash"] != before
    assert {row["task_id"] for row in rows(workspace, paths.SFT_EXPORT)}.isdisjoint({"t4"})


def test_without_a_set_nothing_was_checked_and_an_older_report_says_so(workspace: Path) -> None:
    run_all(workspace)
    (workspace / "distill.toml").write_text(ONE_STREAM, encoding="utf-8")
    run_all(workspace)
    assert report(workspace)["checked"] is False
    assert "t3" in {row["task_id"] for row in rows(workspace, paths.SFT_EXPORT)}


def test_a_set_that_is_gone_ends_the_run_before_anything_is_written(workspace: Path) -> None:
    (workspace / "test_set.jsonl").unlink()
    ended = engine(workspace, "run-all")
    assert ended.returncode == ExitCode.NOT_EVALUABLE
    assert "The evaluation set services cannot be used" in ended.stderr
    assert not (workspace / paths.SFT_EXPORT).exists()
