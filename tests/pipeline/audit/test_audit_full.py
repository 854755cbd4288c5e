"""The command: what it writes, when the baseline follows, whom it waits for, how it ends."""

from __future__ import annotations

import errno
import json
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO

import pytest

from pipeline import cli
from pipeline.audit.shared_view import shared_view
from pipeline.contracts import paths
from pipeline.contracts.check_index import REQUIRED_CHECKS
from pipeline.contracts.discovery import engine_argv
from pipeline.contracts.faults import WorkspaceLockedError
from pipeline.drift import measure
from pipeline.platform import disk, lock
from tests.pipeline.audit.audited import (
    REQUIRED,
    audit,
    build,
    check_of,
    not_passed,
    passing_acceptance,
    statuses,
)
from tests.pipeline.audit.faults import flip_evidence_byte, remove_recon_doc
from tests.pipeline.engine.workspaces import engine, make_workspace
from tests.warm_processes import COLD_VARIABLE

REPORT_JSON = paths.AUDIT_DATA


@pytest.fixture
def gate(tmp_path: Path) -> tuple[str, str]:
    return "--acceptance-report", str(passing_acceptance(tmp_path / "acceptance.json"))


def baselines(workspace: Path) -> list[dict[str, Any]]:
    path = workspace / paths.AUDIT_BASELINES
    return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def test_a_full_audit_writes_page_data_and_events_that_agree(workspace: Path, gate: tuple[str, str]) -> None:
    report = audit(workspace, *gate)
    assert json.loads((workspace / REPORT_JSON).read_bytes()) == report
    assert report["verdict"] in (workspace / paths.AUDIT_REPORT).read_text("utf-8")
    assert [name for name in statuses(report) if not name.startswith(("P0.source-", "P5.journals"))] == list(
        REQUIRED
    )
    assert check_of(report, "P0.source-chats")["required"] is False
    events = [json.loads(line) for line in (workspace / paths.AUDIT_EVENTS).read_bytes().splitlines()]
    assert (events[0]["type"], events[-1]["type"]) == ("run.started", "run.finished")
    assert [event["check"]["id"] for event in events if event["type"] == "check.result"] == list(
        statuses(report)
    )
    told = [event["row"]["metric"] for event in events if event["type"] == "drift.row"]
    assert told == [row["metric"] for row in report["drift"]]
    assert events[-1]["exit_code"] == report["exit_code"] == 0
    assert report["run_hash"] == events[-1]["run_hash"]
    assert report["drift_thresholds"] == {"warn_pct": 20.0, "min_z": 3.0}


def test_the_first_passing_audit_seeds_the_baseline_and_the_next_follows(
    workspace: Path, gate: tuple[str, str]
) -> None:
    report = audit(workspace, *gate)
    assert "this audit seeded the baseline" in report["notes"]
    assert {row["status"] for row in report["drift"]} == {"new"}
    report = audit(workspace, *gate)
    assert {row["status"] for row in report["drift"]} == {"same"}
    assert [row["kind"] for row in baselines(workspace)] == ["seed", "passed"]


@pytest.mark.parametrize("left", [(REPORT_JSON,), (REPORT_JSON, paths.JOURNAL_MEMORY)])
def test_an_audit_that_was_cut_off_behind_its_row_does_not_write_it_twice(
    workspace: Path, gate: tuple[str, str], left: tuple[Path, ...]
) -> None:
    """What comes last of an audit is its report: ``left`` is as the audit before had left it."""
    audit(workspace, *gate)
    before = {name: (workspace / name).read_bytes() for name in left}
    audit(workspace, *gate)
    for name, data in before.items():
        (workspace / name).write_bytes(data)
    rows = baselines(workspace)
    report = audit(workspace, *gate)
    assert baselines(workspace) == rows
    assert any("one that was cut off had written its row" in note for note in report["notes"])
    audit(workspace, *gate)
    assert len(baselines(workspace)) == len(rows) + 1


def test_a_report_from_before_rows_were_named_in_it_speaks_for_the_last_row(
    workspace: Path, gate: tuple[str, str]
) -> None:
    report = audit(workspace, *gate)
    del report["baseline_row"]
    (workspace / REPORT_JSON).write_text(json.dumps(report))
    audit(workspace, *gate)
    assert [row["kind"] for row in baselines(workspace)] == ["seed", "passed"]


def test_no_append_leaves_the_baselines_alone(workspace: Path, gate: tuple[str, str]) -> None:
    audit(workspace, "--no-append", *gate)
    assert baselines(workspace) == []


def test_an_audit_that_fails_moves_no_baseline(workspace: Path, gate: tuple[str, str]) -> None:
    flip_evidence_byte(workspace)
    report = audit(workspace, *gate)
    assert report["exit_code"] == 10
    assert baselines(workspace) == []
    page = (workspace / paths.AUDIT_REPORT).read_text("utf-8")
    assert page.index("### P5.receipts-match · fail") < page.index("## Checks by phase")


def test_an_audit_with_warnings_moves_no_baseline_and_keeps_since_when_it_warned(
    workspace: Path, gate: tuple[str, str]
) -> None:
    audit(workspace, *gate)
    row = baselines(workspace)[0]
    row["metrics"]["rag_rows"] = 10_000
    (workspace / paths.AUDIT_BASELINES).write_text(json.dumps(row) + "\n", encoding="utf-8")
    first = audit(workspace, *gate)
    assert first["exit_code"] == 0
    assert "1 drift warning" in first["verdict"]
    (warned,) = [row for row in first["drift"] if row["status"] == "warn"]
    (again,) = [row for row in audit(workspace, *gate)["drift"] if row["status"] == "warn"]
    assert warned["since"] is not None
    assert again["since"] == warned["since"]
    assert len(baselines(workspace)) == 1


def test_one_check_alone_writes_nothing(workspace: Path) -> None:
    before = sorted(path for path in workspace.rglob("*") if path.name != "lock")
    report = audit(workspace, "--check", "P2.provenance", "--check", "P0.source-runs")
    assert statuses(report) == {"P0.source-runs": "info", "P2.provenance": "pass"}
    assert report["drift"] == []
    assert sorted(path for path in workspace.rglob("*") if path.name != "lock") == before


def test_one_check_alone_fails_as_it_would_among_all(workspace: Path) -> None:
    remove_recon_doc(workspace)
    assert audit(workspace, "--check", "P0.recon-doc")["exit_code"] == 1
    assert audit(workspace, "--check", "P2.provenance")["exit_code"] == 0


def test_a_check_that_does_not_exist_is_a_usage_error(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["audit-full", "-C", str(workspace), "--check", "P2.provenence"]) == 2
    assert "P2.provenance" in capsys.readouterr().err


def test_people_read_one_line_a_check_and_the_verdict_last(
    workspace: Path, gate: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    remove_recon_doc(workspace)
    assert cli.main(["audit-full", "-C", str(workspace), *gate]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["status", "check", "examined"]
    assert lines[1].split()[:2] == ["FAIL", "P0.recon-doc"]
    again = lines.index("  again: distill audit-full --check P0.recon-doc")
    assert lines.index("P0.recon-doc") < again < len(lines) - 1
    all_of_them = len(REQUIRED_CHECKS)
    passed = f"{all_of_them - 1}/{all_of_them} required checks passed"
    assert lines[-1] == f"audit-full: FAIL (exit 1) · {passed} · failed: P0.recon-doc"


def test_while_a_run_is_at_work_the_audit_ends_with_75(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with lock.hold_workspace(workspace, command="run-all", pipeline_run_id="x", argv=()):
        assert cli.main(["audit-full", "-C", str(workspace), "--check", "P0.recon-doc"]) == 75
    assert "run-all (pid " in capsys.readouterr().err


def test_two_audits_share_the_workspace_and_a_run_waits_for_them(workspace: Path) -> None:
    with shared_view(workspace, ()), shared_view(workspace, ()):
        with (
            pytest.raises(WorkspaceLockedError) as raised,
            lock.hold_workspace(workspace, command="run-all", pipeline_run_id="x", argv=()),
        ):
            pass
        assert "audit-full" in raised.value.fault.what_happened
    with lock.hold_workspace(workspace, command="run-all", pipeline_run_id="x", argv=()):
        pass


def test_a_commit_that_a_crash_left_open_is_settled_first(tmp_path: Path, gate: tuple[str, str]) -> None:
    workspace = make_workspace(tmp_path / "w")
    killed = engine(workspace, "run-all", env={"DISTILL_CRASH_AT": "originals-linked"})
    assert killed.returncode == -9
    assert (workspace / paths.INTENT).exists()
    report = audit(workspace, *gate)
    assert any("rolled forward" in note for note in report["notes"])
    assert not_passed(report) == {"P0.recon-doc": "fail"}


def test_a_workspace_that_never_ran_fails_and_raises_nothing(tmp_path: Path, gate: tuple[str, str]) -> None:
    report = audit(make_workspace(tmp_path / "w", {}), *gate)
    assert report["exit_code"] == 1
    assert "error" not in statuses(report).values()
    assert statuses(report)["P4.sft-firewall"] == "not_evaluated"
    assert {name for name, status in statuses(report).items() if status == "fail"} >= {
        "P0.recon-doc",
        "P2.dry-run",
        "P3.distribution",
        "P4.exports-valid",
        "P5.summary-valid",
        "P5.receipts-match",
        "P7.replay",
    }


def test_runs_that_repeat_the_last_one_stay_green(workspace: Path, gate: tuple[str, str]) -> None:
    assert engine(workspace, "run-all").returncode == 0
    assert not_passed(audit(workspace, *gate)) == {}
    assert engine(workspace, "score").returncode == 0
    assert not_passed(audit(workspace, *gate)) == {}


def test_a_terminated_audit_ends_its_gate_and_tells_its_end(workspace: Path) -> None:
    argv = engine_argv(["audit-full", "--events", "-", "-C", str(workspace)])
    # Really started: whoever is forked from a warm process has another child beside its own.
    env = {**os.environ, COLD_VARIABLE: "1"}
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env) as auditor:
        assert auditor.stdout is not None
        assert json.loads(auditor.stdout.readline())["type"] == "run.started"
        # The first check's result comes after the gate was started.
        assert json.loads(auditor.stdout.readline())["type"] == "check.result"
        gate = _children(auditor.pid)
        auditor.terminate()
        last = json.loads(auditor.stdout.read().splitlines()[-1])
    assert auditor.returncode == 143
    assert (last["type"], last["exit_code"]) == ("run.finished", 143)
    assert gate
    assert not any(Path(f"/proc/{pid}").exists() for pid in gate)
    assert not (workspace / paths.AUDIT_REPORT).exists()


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split()]


def test_an_audit_that_could_not_look_says_so_in_three_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = build(tmp_path / "w")
    place = workspace / paths.SFT_EXPORT
    place.unlink()
    place.mkdir()
    assert cli.main(["audit-full", "-C", str(workspace), "--check", "P4.exports-valid", "--json"]) == 3
    told = capsys.readouterr()
    assert json.loads(told.out)["exit_code"] == 3
    lines = told.err.splitlines()[-3:]
    assert [line[:13].rstrip() for line in lines] == ["what happened", "kept safe", "do next"]
    assert "P4.exports-valid could not be evaluated: " in lines[0]
    assert "distill audit-full --check P4.exports-valid" in lines[2]


@pytest.mark.parametrize("taken", [paths.QUARANTINE_FILES["sft"], paths.scored_file("chats")])
def test_an_audit_that_cannot_measure_drift_ends_with_3_and_moves_no_baseline(
    workspace: Path,
    gate: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    taken: Path,
) -> None:
    """The checks have read the file before: a moment later the drift table may not."""

    def refusing(path: Path) -> BinaryIO:
        if path == workspace / taken:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return disk.open_to_read(path)

    monkeypatch.setattr(measure, "disk", SimpleNamespace(open_to_read=refusing, lines_in=disk.lines_in))
    report = audit(workspace, *gate)
    assert report["exit_code"] == 3
    assert set(not_passed(report)) <= {"P5.journals"}
    assert report["drift"] == []
    assert report["verdict"].endswith("checks passed · drift was not measured")
    assert f"{taken} could not be read: Permission denied" in report["notes"][0]
    assert baselines(workspace) == []

    assert cli.main(["audit-full", "-C", str(workspace), *gate]) == 3
    told = capfd.readouterr().err
    assert all(word in told for word in ("what happened", "kept safe", "do next"))


def test_a_folder_that_may_not_be_listed_is_not_taken_for_an_empty_one(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read as empty, every line would have been lost and every verdict be an orphan."""

    def refusing(path: Any) -> Any:
        if str(path) == str(workspace / paths.EVIDENCE):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return listed(path)

    listed = os.scandir
    monkeypatch.setattr("pipeline.platform.listable.os.scandir", refusing)
    for check in ("P2.conserves", "P3.coverage", "P2.provenance"):
        report = audit(workspace, "--check", check)
        assert statuses(report) == {check: "error"}
        assert report["exit_code"] == 3
