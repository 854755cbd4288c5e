"""The disk against a run's receipts: what changed, what came, what went, what only looks so."""

from __future__ import annotations

import shutil
from pathlib import Path

from pipeline.contracts import paths
from pipeline.contracts.status import FirewallWord, Freshness, PhaseState
from tests.console.workspaces import (
    FINISHED,
    RUN_ID,
    phase,
    read,
    symptoms,
    workspace_after_a_run,
    write,
)


def test_a_source_that_grew_makes_the_run_stale(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    with (root / "data/_kb/taubench.jsonl").open("ab") as file:
        file.write(b'{"task": 13}\n')
    status = read(root)
    assert phase(status, "P2").state is PhaseState.STALE
    assert phase(status, "P2").origin.why == "data/_kb/taubench.jsonl changed"
    assert status.rows.origin.freshness is Freshness.STALE
    assert phase(status, "P5").state is PhaseState.OK
    assert symptoms(status) == []


def test_a_new_source_file_makes_the_run_stale(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    write(root, "data/_kb/taubench-2.jsonl", "{}\n")
    assert phase(read(root), "P2").origin.why == "data/_kb/taubench-2.jsonl is new"


def test_a_source_that_is_gone_is_no_change(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    (root / "data/_kb/taubench.jsonl").unlink()
    status = read(root)
    assert phase(status, "P2").state is PhaseState.OK
    assert symptoms(status) == ["S1.P0.source-missing"]


def test_an_export_that_grew_behind_the_engine_is_named(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    with (root / paths.SFT_EXPORT).open("ab") as file:
        file.write(b'{"id": "forbidden"}\n')
    status = read(root)
    assert phase(status, "P5").state is PhaseState.STALE
    assert phase(status, "P4").state is PhaseState.STALE
    assert symptoms(status) == ["S1.P5.summary"]
    assert str(paths.SFT_EXPORT) in status.symptoms[0].observed


def test_an_export_of_the_same_size_but_other_bytes_is_named(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    path = root / paths.SFT_EXPORT
    path.write_bytes(path.read_bytes().replace(b"x", b"y"))
    assert symptoms(read(root)) == ["S1.P5.summary"]


def test_a_copied_workspace_is_not_stale(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path / "one")
    copy = tmp_path / "two"
    shutil.copytree(root, copy, copy_function=shutil.copyfile)
    status = read(copy)
    assert phase(status, "P2").state is PhaseState.OK
    assert symptoms(status) == []


def test_a_quarantined_export_is_absent_and_no_damage(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    path = root / paths.SFT_EXPORT
    path.rename(path.with_name(path.name + ".QUARANTINED-1777345985"))
    status = read(root)
    assert status.firewall.state is FirewallWord.ABSENT
    assert status.firewall.detail == "there is no such file"
    assert symptoms(status) == []


def test_an_edited_receipt_fails_p5(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    path = root / paths.receipts_folder(RUN_ID) / "score.json"
    path.write_text(path.read_text().replace("0.5", "0.4"))
    status = read(root)
    assert phase(status, "P5").state is PhaseState.FAIL
    assert symptoms(status) == ["S1.P5.summary"]


def test_a_verdict_older_than_a_day_and_two_hours_is_stale(tmp_path: Path) -> None:
    status = read(workspace_after_a_run(tmp_path), FINISHED.timestamp() + 27 * 3600)
    assert phase(status, "P3").state is PhaseState.STALE
    assert phase(status, "P3").origin.why == ""


def test_a_run_from_the_future_reads_clock(tmp_path: Path) -> None:
    status = read(workspace_after_a_run(tmp_path), FINISHED.timestamp() - 3600)
    assert phase(status, "P3").state is PhaseState.UNKNOWN
    assert phase(status, "P3").origin.freshness is Freshness.CLOCK
