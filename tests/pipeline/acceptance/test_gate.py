"""The gate as operators call it: 22 of 22, a report, and a temp root that is kept when it matters."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pipeline.acceptance import gate
from pipeline.acceptance.fixture import Fixture
from pipeline.acceptance.listings import changes, listing
from pipeline.acceptance.scene import Scene
from pipeline.acceptance.temp_root import PREFIX, temp_root
from pipeline.contracts import events, paths
from pipeline.contracts.check_index import ACCEPTANCE
from pipeline.contracts.discovery import INSTALLED_PYTHON_VARIABLE, engine_argv
from tests.mutants.broken_engine import accept, engine_with, red

MOST_FIREWALLS = 16


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    root = tmp_path / "workspace"
    (root / "docs").mkdir(parents=True)
    (root / paths.SETTINGS).touch()
    (root / "docs" / "page.md").write_text("as it was")
    return root


def acceptance(workspace: Path, tmp_path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return _asked(workspace, tmp_path, "acceptance", *options)


def _asked(
    workspace: Path, tmp_path: Path, *words: str, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    temporary = tmp_path / "tmp"
    temporary.mkdir(exist_ok=True)
    return subprocess.run(
        engine_argv([*words, "-C", str(workspace)]),
        capture_output=True,
        text=True,
        env={**os.environ, "TMPDIR": str(temporary), **(env or {})},
        check=False,
    )


def roots(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "tmp").glob(f"{PREFIX}*"))


def test_every_invariant_of_the_index_has_its_judge_and_its_jobs_exist(tmp_path: Path) -> None:
    assert set(gate.INVARIANTS) == {spec.id for spec in ACCEPTANCE}
    with temp_root(tmp_path) as root:
        scene = Scene(root, Fixture(), tmp_path)
        names = [job.name for group in gate.GROUPS if hasattr(group, "jobs") for job in group.jobs(scene)]
    assert len(names) == len(set(names))
    assert {need for invariant in gate.INVARIANTS.values() for need in invariant.needs} <= set(names)
    assert set(gate.FIRST_JOBS) <= set(names)


@pytest.mark.slow
def test_an_audit_runs_the_gate_all_invariants_hold_and_nothing_is_left(
    workspace: Path, tmp_path: Path
) -> None:
    before = listing(workspace)
    firewalls = tmp_path / "firewalls"
    stand_in = tmp_path / "python"
    stand_in.write_text(f"#!/bin/sh\necho start >> '{firewalls}'\nexec '{sys.executable}' \"$@\"\n")
    stand_in.chmod(0o700)
    words = ("audit-full", "--check", "P6.acceptance", "--json")
    finished = _asked(workspace, tmp_path, *words, env={INSTALLED_PYTHON_VARIABLE: str(stand_in)})
    assert finished.returncode == 0, finished.stdout
    (check,) = json.loads(finished.stdout)["checks"]
    assert (check["status"], check["observed"]) == ("pass", "22/22")
    # Each is an interpreter of its own, which is a tenth of a second.
    assert 1 <= len(firewalls.read_text().splitlines()) <= MOST_FIREWALLS
    assert roots(tmp_path) == []
    added = changes(before, listing(workspace))
    of_the_audit = {".distill", str(paths.LOCK), "reports"}
    assert [path for path in added if path not in of_the_audit and not path.startswith("reports/")] == []
    report: dict[str, Any] = json.loads((workspace / paths.ACCEPTANCE_DATA).read_bytes())
    assert (report["kind"], report["ok"], report["exit_code"]) == ("acceptance", True, 0)
    assert [check["id"] for check in report["checks"]] == [spec.id for spec in ACCEPTANCE]
    assert all(check["examined"] and not check["failed"] for check in report["checks"])
    assert Path(report["temp_root"]).name.startswith(PREFIX)
    assert report["temp_root_kept"] is False
    assert report["fixture_sha256"] == Fixture().sha256
    assert len(report["run_hash"]) == 64
    page = (workspace / paths.ACCEPTANCE_REPORT).read_text(encoding="utf-8")
    assert page.index("## Failures") < page.index("## Checks by phase")
    lines = (workspace / paths.ACCEPTANCE_EVENTS).read_bytes().splitlines()
    told = [events.decode(line) for line in lines]
    assert isinstance(told[0], events.RunStarted)
    assert isinstance(told[-1], events.RunFinished)
    assert told[-1].exit_code == 0
    assert told[-1].run_hash == report["run_hash"]
    assert {event.check.id for event in told if isinstance(event, events.CheckReported)} == set(
        gate.INVARIANTS
    )


def test_one_invariant_alone_runs_what_it_needs_and_writes_no_report(workspace: Path, tmp_path: Path) -> None:
    finished = acceptance(workspace, tmp_path, "--check", "A10", "--json", "--keep")
    report = json.loads(finished.stdout)
    assert finished.returncode == 0
    assert [(check["id"], check["status"]) for check in report["checks"]] == [("A10", "pass")]
    assert not (workspace / paths.ACCEPTANCE_REPORT).exists()
    (kept,) = roots(tmp_path)
    assert str(kept) == report["temp_root"]
    assert report["temp_root_kept"] is True
    assert (kept / paths.SFT_EXPORT).exists()
    assert list((kept / "variants").iterdir()) == []


def test_an_unknown_invariant_is_a_usage_error(workspace: Path, tmp_path: Path) -> None:
    finished = acceptance(workspace, tmp_path, "--check", "A23")
    assert finished.returncode == 2
    assert "A23" in finished.stderr
    assert roots(tmp_path) == []


def test_a_gate_that_is_told_to_end_leaves_nothing_behind(workspace: Path, tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    with subprocess.Popen(
        engine_argv(["acceptance", "-C", str(workspace), "--events", "-"]),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": str(temporary)},
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if isinstance(events.decode(line), events.CheckReported):
                break
        assert len(roots(tmp_path)) == 1
        process.terminate()
        *_, last = process.stdout
        assert process.wait() == 143
    ended = events.decode(last)
    assert isinstance(ended, events.RunFinished)
    assert ended.exit_code == 143
    while roots(tmp_path):  # a process that outlives the gate removes it; the limit of the test ends the wait
        time.sleep(0.05)
    assert not (workspace / paths.ACCEPTANCE_REPORT).exists()


def test_expected_counts_off_by_one_fail_and_name_the_edited_fixture(tmp_path: Path) -> None:
    """Among the invariants of the same runs."""
    engine = engine_with((), tmp_path / "engine")
    expected = engine / "pipeline" / "acceptance" / "fixture" / "expected.json"
    text = expected.read_text(encoding="utf-8")
    assert text.count('"accepted": 9') == 1
    expected.write_text(text.replace('"accepted": 9', '"accepted": 10'), encoding="utf-8")
    asked = [word for each in ("A06", "A09", "A10", "A11", "A16", "A18") for word in ("--check", each)]
    report = accept(engine, tmp_path / "run" / "workspace", *asked)
    assert report["exit_code"] == 1
    assert set(red(report)) == {"A09"}
    assert "expected.json" in red(report)["A09"]
    assert "the fixture was edited: expected.json" in report["notes"]
    examples = [example["text"] for check in report["checks"] for example in check["examples"]]
    assert "attempts: 9 accepted, the fixture has 10" in examples
    assert report["temp_root_kept"] is True


def test_an_engine_that_cannot_be_imported_fails_what_it_cannot_show(tmp_path: Path) -> None:
    engine = engine_with((), tmp_path / "engine")
    (engine / "pipeline" / "stages" / "score.py").write_text("def broken(:\n", encoding="utf-8")
    report = accept(engine, tmp_path / "run" / "workspace", "--check", "A09", "--check", "A03")
    statuses = {check["id"]: check["status"] for check in report["checks"]}
    assert statuses == {"A03": "pass", "A09": "fail"}
    assert "SyntaxError" in red(report)["A09"]
