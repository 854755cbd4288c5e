"""``distill --batch`` on real processes of an engine that a test has planned."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from console.cli import distill
from pipeline.contracts import events, paths
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.moments import iso_utc
from runbook.symptoms import definitions
from tests.console.batch.engine_in_workspace import calls, checks_report, workspace_with_engine
from tests.waiting import wait_until

NO_FIREWALL = ("--skip", "firewall")


def run(root: Path, *arguments: str) -> int:
    return distill.main(["-C", str(root), "--batch", *arguments])


def report_in(folder: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return report


def test_a_good_batch_ends_with_0_and_the_verdict_is_the_last_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    root = workspace_with_engine(
        tmp_path / "w",
        run_all={"report": {"exit_code": 0, "counts": {"evidence": 143}, "run_hash": "ab"}},
        acceptance={"report": checks_report(("A01", "pass"), ("A02", "pass"))},
        audit_full={"report": checks_report(("P2.conserves", "pass"))},
    )
    assert run(root, *NO_FIREWALL) == ExitCode.OK
    said = capfd.readouterr()
    known = len(definitions())
    assert said.out.splitlines()[-1].startswith(
        "batch: PASS (exit 0) · run-all 143 evidence rows · firewall skipped · acceptance 2/2 · "
        f"audit-full 1/1 · symptoms none (7 of {known} checks run, {known - 7} never, oldest 0s) · "
    )
    assert "\x1b" not in said.err, "no terminal, no drawing"
    assert [line.split()[:2] for line in said.err.splitlines()] == [
        ["run-all", "pass"],
        ["acceptance", "pass"],
        ["audit-full", "pass"],
        ["symptoms", "pass"],
    ]


def test_acceptance_runs_once_and_what_it_printed_is_handed_on(tmp_path: Path) -> None:
    report = checks_report(("A01", "pass"))
    old = json.dumps(checks_report(("A01", "fail")))
    file = str(paths.ACCEPTANCE_DATA)
    root = workspace_with_engine(tmp_path / "w", acceptance={"report": report, "files": {file: old}})
    run(root, *NO_FIREWALL)
    # The detectors ask the old report's red invariant again, after the batch's own parts.
    assert calls(root)[:3] == [
        {"command": "run-all", "handed_on": None},
        {"command": "acceptance", "handed_on": None},
        {"command": "audit-full", "handed_on": report},
    ]


def test_a_failed_check_is_1_and_the_other_parts_still_run(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    failed = checks_report(("P2.provenance", "fail"), exit_code=1)
    root = workspace_with_engine(tmp_path / "w", audit_full={"exit": 1, "report": failed})
    assert run(root, *NO_FIREWALL, "--report-dir", str(tmp_path / "r")) == ExitCode.CHECK_FAILED
    out = capfd.readouterr().out.splitlines()
    assert out[0] == "FAIL           P2.provenance: P2.provenance in detail"
    assert "audit-full FAIL 0/1 (P2.provenance)" in out[-1]
    report = report_in(tmp_path / "r")
    assert [(part["name"], part["status"]) for part in report["parts"]] == [
        ("run-all", "pass"),
        ("firewall", "skipped"),
        ("acceptance", "pass"),
        ("audit-full", "fail"),
        ("symptoms", "pass"),
    ]
    assert (report["exit_code"], report["ok"]) == (1, False)


def test_the_first_audit_of_a_workspace_leaves_the_acceptance_before_it_in_date(tmp_path: Path) -> None:
    journal = str(paths.AUDIT_BASELINES)
    root = workspace_with_engine(
        tmp_path / "w", acceptance={"files": {"stamp": ""}}, audit_full={"files": {journal: "{}\n"}}
    )
    assert not (root / journal).exists()
    run(root, "--only", "acceptance,audit-full")
    assert (root / journal).read_text() == "{}\n"
    assert (root / paths.KNOWLEDGE_BASE).stat().st_ctime_ns <= (root / "stamp").stat().st_ctime_ns


def test_quiet_tells_what_failed_and_the_verdict_alone(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    good = workspace_with_engine(
        tmp_path / "good", run_all={"report": {"exit_code": 0, "warnings": ["slow"]}}
    )
    assert run(good, *NO_FIREWALL, "--quiet") == ExitCode.OK
    said = capfd.readouterr()
    assert said.err == ""
    assert len(said.out.splitlines()) == 1
    failed = checks_report(("P2.provenance", "fail"), exit_code=1)
    bad = workspace_with_engine(tmp_path / "bad", audit_full={"exit": 1, "report": failed})
    assert run(bad, "--only", "audit-full", "-q") == ExitCode.CHECK_FAILED
    first, *_, last = capfd.readouterr().out.splitlines()
    assert first.startswith("FAIL           P2.provenance:")
    assert last.startswith("batch: FAIL (exit 1)")


def test_a_severe_symptom_is_1(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    root = workspace_with_engine(tmp_path / "w")
    (root / paths.RECON_DOC).unlink()
    assert run(root, "--only", "symptoms") == ExitCode.CHECK_FAILED
    assert "symptoms FAIL S1.P0.recon-doc" in capfd.readouterr().out.splitlines()[-1]


def test_rows_that_differed_at_the_last_comparison_are_a_symptom(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    root = workspace_with_engine(tmp_path / "w")
    place = root / paths.DETERMINISM_REPORT
    place.parent.mkdir(parents=True)
    finished = iso_utc(time.time())
    compared = {"kind": "determinism", "exit_code": 1, "elapsed_seconds": 900, "finished_at": finished}
    place.write_text(json.dumps({**compared, "verdict": "different: a and b differ from stage score on"}))
    assert run(root, "--only", "symptoms") == ExitCode.CHECK_FAILED
    assert "S5.hash-mismatch: different: a and b differ from stage score on" in capfd.readouterr().out
    place.write_text(json.dumps({**compared, "exit_code": 0, "verdict": "equal"}))
    assert run(root, "--only", "symptoms") == ExitCode.OK


def test_determinism_is_a_part_when_it_is_asked_for(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    report = {"exit_code": 1, "verdict": "different: a and b differ from stage score on", "runs": [{}, {}]}
    root = workspace_with_engine(tmp_path / "w", determinism={"exit": 1, "report": report})
    assert run(root, "--determinism", "--skip", "firewall,acceptance,audit-full") == ExitCode.CHECK_FAILED
    assert [call["command"] for call in calls(root)] == ["run-all", "determinism"]
    assert "determinism FAIL 2 runs" in capfd.readouterr().out.splitlines()[-1]


def test_information_alone_is_no_failure(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    root = workspace_with_engine(tmp_path / "w")
    (root / "data/_kb/taubench.jsonl").write_text("")
    assert run(root, "--only", "symptoms", "--fail-on", "warn") == ExitCode.OK
    assert "symptoms S1.P0.source-missing" in capfd.readouterr().out.splitlines()[-1]


def test_drift_is_4_when_warnings_are_to_fail(tmp_path: Path) -> None:
    row = {"metric": "rag_rows", "phase": "P4", "baseline": 10.0, "current": 5.0, "status": "warn"}
    root = workspace_with_engine(tmp_path / "w", audit_full={"report": checks_report(drift=[row])})
    assert run(root, "--only", "audit-full") == ExitCode.OK
    assert run(root, "--only", "audit-full", "--fail-on", "warn") == ExitCode.WARNINGS
    seen = {**row, "dismissed": "the old logs were thrown away"}
    other = workspace_with_engine(tmp_path / "o", audit_full={"report": checks_report(drift=[seen])})
    assert run(other, "--only", "audit-full", "--fail-on", "warn") == ExitCode.OK


def test_what_was_not_evaluated_is_5(tmp_path: Path) -> None:
    report = checks_report(("A01", "not_evaluated"), exit_code=5)
    root = workspace_with_engine(tmp_path / "w", acceptance={"exit": 5, "report": report})
    assert run(root, *NO_FIREWALL) == ExitCode.NOT_EVALUATED


def test_a_forbidden_row_is_10_whatever_else_failed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    root = workspace_with_engine(tmp_path / "w", audit_full={"exit": 1, "report": checks_report()})
    (root / paths.SFT_EXPORT).parent.mkdir(parents=True)
    (root / paths.SFT_EXPORT).write_text('{"id":"x","quality_score":"rejected"}\n')
    assert run(root, "--only", "firewall,audit-full") == ExitCode.FIREWALL_BREACH
    last = capfd.readouterr().out.splitlines()[-1]
    assert "firewall BREACH, evaluation sets: not checked, none is declared" in last


@pytest.mark.parametrize("only", ["firewall", "audit-full", "symptoms", "run-all", "audit-full,symptoms"])
def test_a_breach_has_one_incident_whichever_part_sees_it(tmp_path: Path, only: str) -> None:
    root = workspace_with_engine(tmp_path / "w", audit_full={"exit": 10}, run_all={"exit": 10})
    (root / paths.SFT_EXPORT).parent.mkdir(parents=True)
    (root / paths.SFT_EXPORT).write_text('{"id":"x","quality_score":"rejected"}\n')
    report = tmp_path / "r"
    assert run(root, "--only", only, "--report-dir", str(report)) == ExitCode.FIREWALL_BREACH
    (incident,) = (root / paths.INCIDENTS).iterdir()
    assert f"incident {incident.name}: distill runbook open S1.P4.sft-leak" in json.dumps(report_in(report))
    assert run(root, "--only", only) == ExitCode.FIREWALL_BREACH
    assert [each.name for each in (root / paths.INCIDENTS).iterdir()] == [incident.name], "it is the same one"


def test_an_unknown_part_is_2_and_nothing_runs(tmp_path: Path) -> None:
    root = workspace_with_engine(tmp_path / "w")
    assert run(root, "--only", "lint") == ExitCode.USAGE
    assert not (root / "told/calls.jsonl").exists()


def test_a_locked_workspace_is_75_and_stops_the_rest(tmp_path: Path) -> None:
    root = workspace_with_engine(
        tmp_path / "w", run_all={"exit": 75, "report": "", "stderr": "what happened  it is locked\n"}
    )
    assert run(root, *NO_FIREWALL, "--report-dir", str(tmp_path / "r")) == ExitCode.LOCKED
    assert [call["command"] for call in calls(root)] == ["run-all"]
    parts = {part["name"]: part for part in report_in(tmp_path / "r")["parts"]}
    assert parts["acceptance"]["status"] == "not_run"
    assert "it is locked" in parts["run-all"]["detail"]


@pytest.mark.parametrize(
    ("plan", "detail"),
    [
        ({"report": "Traceback, not a report", "exit": 0}, "gave no report"),
        ({"kill": int(signal.SIGKILL)}, "ended by signal 9"),
        ({"exit": 77}, "unknown exit code 77"),
    ],
)
def test_a_part_that_cannot_be_believed_is_3(tmp_path: Path, plan: dict[str, Any], detail: str) -> None:
    root = workspace_with_engine(tmp_path / "w", run_all=plan)
    assert run(root, "--only", "run-all", "--report-dir", str(tmp_path / "r")) == ExitCode.NOT_EVALUABLE
    (part,) = [part for part in report_in(tmp_path / "r")["parts"] if part["name"] == "run-all"]
    assert detail in part["detail"]


def test_a_check_that_cannot_be_read_is_an_error_of_that_check(tmp_path: Path) -> None:
    report = {"exit_code": 0, "checks": [{"id": "P2.conserves", "status": "splendid"}]}
    root = workspace_with_engine(tmp_path / "w", audit_full={"report": report})
    run(root, "--only", "audit-full", "--report-dir", str(tmp_path / "r"))
    (check,) = report_in(tmp_path / "r")["checks"]
    assert (check["id"], check["status"]) == ("P2.conserves", "error")


def test_when_time_is_up_the_part_is_ended_and_the_rest_is_not_run(tmp_path: Path) -> None:
    root = workspace_with_engine(tmp_path / "w", acceptance={"hang": True})
    code = run(root, "--only", "acceptance,audit-full", "--timeout", "1", "--report-dir", str(tmp_path / "r"))
    assert code == ExitCode.NOT_EVALUABLE
    statuses = {part["name"]: part["status"] for part in report_in(tmp_path / "r")["parts"]}
    assert (statuses["acceptance"], statuses["audit-full"]) == ("timed_out", "not_run")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_part_and_the_reports_are_written_all_the_same(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    root = workspace_with_engine(tmp_path / "w", run_all={"hang": True})
    folder = tmp_path / "r"
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "console", "-C", str(root), "--batch", "--report-dir", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    wait_until((root / "told/hanging").exists, "the part that hangs")
    process.send_signal(number)
    out, _ = process.communicate()
    assert process.returncode == code
    assert f"(exit {code})" in out.splitlines()[-1]
    assert report_in(folder)["exit_code"] == code


def test_the_report_is_all_of_stdout_with_json(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    root = workspace_with_engine(tmp_path / "w")
    assert run(root, "--only", "run-all", "--json") == ExitCode.OK
    said = capfd.readouterr()
    report = json.loads(said.out)
    assert (report["kind"], report["schema_version"], report["exit_code"]) == ("batch", 1, 0)
    assert said.err.splitlines()[-1] == report["verdict"]


def test_the_event_stream_is_one_stream_that_a_console_can_read(tmp_path: Path) -> None:
    stages: list[dict[str, Any]] = [
        {"type": "run.started", "pipeline_run_id": "r", "command": "run-all", "workspace": "/w", "pid": 1,
         "host": "h"},
        {"type": "stage.started", "stage": "score"},
        {"type": "stage.progress", "stage": "score", "rows_in": 7},
        {"type": "run.finished", "ok": True, "exit_code": 0},
    ]  # fmt: skip
    root = workspace_with_engine(
        tmp_path / "w",
        run_all={"events": stages, "torn": '{"type":"log","se'},
        audit_full={"events": stages[1:2]},
    )
    place = tmp_path / "events.jsonl"
    assert run(root, "--only", "run-all,audit-full", "--events", str(place)) == ExitCode.OK
    found = [events.decode(line) for line in place.read_bytes().splitlines()]
    assert [event.seq for event in found] == list(range(1, len(found) + 1))
    assert [event.type for event in found] == [
        "run.started", "log", "stage.started", "stage.progress", "log", "log", "stage.started", "log",
        "run.finished",
    ]  # fmt: skip
    first, last = found[0], found[-1]
    assert isinstance(first, events.RunStarted)
    assert (first.command, first.stages) == ("batch", ("run-all", "audit-full"))
    assert isinstance(last, events.RunFinished)
    assert (last.ok, last.exit_code) == (True, 0)


def test_stdout_cannot_serve_two_streams(tmp_path: Path) -> None:
    root = workspace_with_engine(tmp_path / "w")
    assert run(root, "--json", "--events", "-") == ExitCode.USAGE


def test_the_report_folder_has_all_reports_and_no_leftovers(tmp_path: Path) -> None:
    root = workspace_with_engine(tmp_path / "w")
    folder = tmp_path / "new" / "r"
    assert run(root, *NO_FIREWALL, "--report-dir", str(folder)) == ExitCode.OK
    assert sorted(path.name for path in folder.iterdir()) == [
        "junit.xml",
        "metrics.prom",
        "report.html",
        "report.json",
        "report.sarif",
        "summary.md",
    ]


def test_a_folder_that_cannot_be_made_costs_no_run(tmp_path: Path) -> None:
    root = workspace_with_engine(tmp_path / "w")
    (tmp_path / "file").write_text("")
    assert run(root, "--report-dir", str(tmp_path / "file" / "r")) == ExitCode.NOT_EVALUABLE
    assert not (root / "told/calls.jsonl").exists()


def test_a_report_that_cannot_be_written_is_3_and_said_before_the_verdict(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    root = workspace_with_engine(tmp_path / "w")
    (tmp_path / "r/junit.xml/in_its_place").mkdir(parents=True)
    assert run(root, "--only", "run-all", "--report-dir", str(tmp_path / "r")) == ExitCode.NOT_EVALUABLE
    said = capfd.readouterr()
    happened, kept, to_do = said.err.splitlines()[-3:]
    assert (happened[:14], kept[:14], to_do[:14]) == ("what happened ", "kept safe     ", "do next       ")
    assert "junit.xml" in happened
    assert said.out.splitlines()[-1].startswith("batch: ERROR (exit 3) · run-all ok · ")


def test_events_that_cannot_be_written_are_3_in_the_report_and_the_verdict_too(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    root = workspace_with_engine(tmp_path / "w")
    arguments = ("--only", "run-all", "--events", "/dev/full", "--report-dir", str(tmp_path / "r"))
    assert run(root, *arguments) == ExitCode.NOT_EVALUABLE
    verdict = capfd.readouterr().out.splitlines()[-1]
    assert verdict.startswith("batch: ERROR (exit 3) · run-all ok · ")
    report = report_in(tmp_path / "r")
    assert (report["exit_code"], report["ok"], report["verdict"]) == (3, False, verdict)


def test_a_kept_acceptance_root_is_packed_into_the_report_folder(tmp_path: Path) -> None:
    kept = Path(tempfile.mkdtemp(prefix="distillation_phase6_acceptance.", dir=tmp_path))
    (kept / "evidence.jsonl").write_text("{}\n")
    os.mkfifo(kept / "fifo")
    report = checks_report(("A09", "fail"), exit_code=1, temp_root=str(kept), temp_root_kept=True)
    root = workspace_with_engine(tmp_path / "w", acceptance={"exit": 1, "report": report})
    folder = tmp_path / "r"
    assert run(root, "--only", "acceptance", "--report-dir", str(folder)) == ExitCode.CHECK_FAILED
    assert report_in(folder)["acceptance_root_packed"] == "acceptance-root.tar.gz"
    with tarfile.open(folder / "acceptance-root.tar.gz") as archive:
        assert archive.getnames() == [kept.name, f"{kept.name}/evidence.jsonl"]


@pytest.mark.parametrize("name", ["etc", "distillation_phase6_acceptance.link"])
def test_nothing_else_is_packed_whatever_a_report_names(tmp_path: Path, name: str) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/secret").write_text("x")
    (tmp_path / "distillation_phase6_acceptance.link").symlink_to(tmp_path / "etc")
    report = checks_report(("A09", "fail"), exit_code=1, temp_root=str(tmp_path / name))
    root = workspace_with_engine(tmp_path / "w", acceptance={"exit": 1, "report": report})
    run(root, "--only", "acceptance", "--report-dir", str(tmp_path / "r"))
    assert not (tmp_path / "r/acceptance-root.tar.gz").exists()


def test_the_step_summary_is_appended_and_annotations_stay_out_of_stdout_with_json(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "summary"
    page.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    failed = checks_report(("P2.provenance", "fail"), exit_code=1)
    root = workspace_with_engine(tmp_path / "w", audit_full={"exit": 1, "report": failed})
    assert run(root, "--only", "audit-full", "--github", "--json") == ExitCode.CHECK_FAILED
    said = capfd.readouterr()
    json.loads(said.out)
    assert "::error title=P2.provenance::fail" in said.err
    assert page.read_text().startswith("before\n# distill --batch\n")
