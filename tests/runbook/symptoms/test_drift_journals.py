"""S2.drift where a journal is not as an audit read it: seen, explained to the line, put back or adopted."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pipeline.contracts import paths
from runbook.probes.workspace import Workspace
from runbook.symptoms.s2_drift.diagnose import detect, rerun
from runbook.symptoms.s2_drift.glance import glance
from tests.git_commands import git
from tests.pipeline.audit.audited import passing_acceptance
from tests.pipeline.engine.workspaces import engine
from tests.runbook.command_line import distill
from tests.runbook.symptoms.walked import diagnosed, filled, raised, repaired, taken_back_once, verdict

ID = "S2.drift"
BASELINES = str(paths.AUDIT_BASELINES)
LOG = str(paths.REPLAY_RUNS)
WHY = ("--answer", "note=tidied up, nothing of it is needed")
ROWS = b"".join(b'{"replay": %d}\n' % number for number in range(1, 7))
Damage = Callable[[Path], None]


@cache
def _audited() -> Path:
    """Two audits, the second of which read three rows more of the replay log."""
    above = Path(tempfile.mkdtemp(prefix="distill-test-"))
    atexit.register(shutil.rmtree, above, ignore_errors=True)
    root = filled(above / "w").root
    (root / paths.ACCEPTANCE_DATA).parent.mkdir(parents=True, exist_ok=True)
    passing_acceptance(root / paths.ACCEPTANCE_DATA)
    for rows in (3, 6):
        (root / LOG).write_bytes(b"".join(ROWS.splitlines(keepends=True)[:rows]))
        _audit(root)
    return root


def _audit(root: Path) -> str:
    report = engine(root, "audit-full", "--acceptance-report", str(root / paths.ACCEPTANCE_DATA))
    assert report.returncode == 0, report.stdout + report.stderr
    return report.stdout


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return Path(shutil.copytree(_audited(), tmp_path / "w"))


def _missed(root: Path) -> dict[str, Any]:
    """The last report's check of the journals."""
    checks = json.loads((root / paths.AUDIT_DATA).read_bytes())["checks"]
    found: dict[str, Any] = next(each for each in checks if each["id"] == "P5.journals")
    return found


@pytest.mark.parametrize(
    ("damaged", "line"),
    [
        (ROWS[:-3], 6),
        (ROWS[:20], 2),
        (ROWS.replace(b"5", b"9"), 4),  # three rows were read by an audit before, and hold
        (ROWS.replace(b"2", b"9"), 1),
        (b"", 1),
    ],
    ids=["torn", "cut", "changed late", "changed early", "emptied"],
)
def test_the_line_is_told_from_which_on_a_journal_is_not_as_it_was(
    root: Path, damaged: bytes, line: int
) -> None:
    (root / LOG).write_bytes(damaged)
    _audit(root)
    (example,) = _missed(root)["examples"]
    assert (example["file"], example["line"]) == (LOG, line)
    told = diagnosed(root, ID)
    cause = told["diagnosis"]["cause"]
    assert (cause["id"], cause["confidence"]) == ("journal_changed", "certain")
    assert cause["places"] == [f"{LOG}:{line}"]
    assert cause["evidence"][0]["says"].startswith(f"{LOG}:{line} was c")
    assert [each["id"] for each in told["offers"]] == ["adopt-journal"]  # there is no copy


def test_it_is_told_by_the_report_and_gone_once_the_journal_is_back(root: Path) -> None:
    data = (root / BASELINES).read_bytes()
    (root / BASELINES).unlink()
    assert detect(Workspace(root)).verdict == "clear", "no audit has missed it yet"
    assert rerun(Workspace(root)).verdict == "detected"
    _audit(root)
    assert raised(root) == [ID]
    (root / BASELINES).write_bytes(data)
    assert detect(Workspace(root)).verdict == "clear"
    assert raised(root) == []


def _beside(root: Path) -> None:
    shutil.copy(root / LOG, root / f"{LOG}.bak")


def _in_git(root: Path) -> None:
    git(root, "add", "--force", LOG)
    git(root, "commit", "--quiet", "-m", "keep the log")


@pytest.mark.parametrize("keep", [_beside, _in_git], ids=["beside", "git"])
def test_a_good_copy_is_put_back_with_what_was_appended_since_and_taken_back_it_is_missed_again(
    root: Path, keep: Damage
) -> None:
    keep(root)
    appended = b'{"replay": 7}\n'
    damaged = ROWS.replace(b"5", b"9") + appended
    (root / LOG).write_bytes(damaged)
    _audit(root)
    told = diagnosed(root, ID)
    assert told["diagnosis"]["cause"]["places"] == [f"{LOG}:5"], "with a copy, the very line"
    assert [each["id"] for each in told["offers"]] == ["restore-journal", "adopt-journal"]
    plan = repaired(root, ID, "--offer", "restore-journal")
    assert (root / LOG).read_bytes() == ROWS + appended
    assert "1 line of it (14 bytes) go" in json.dumps(plan)
    assert raised(root) == []
    _audit(root)
    assert _missed(root)["failed"] == 0
    taken_back_once(root, plan["incident_id"])
    assert (root / LOG).read_bytes() == damaged
    assert rerun(Workspace(root)).verdict == "detected", "what was taken back is no reason to believe it"


def test_a_copy_that_does_not_begin_as_it_was_read_is_none(root: Path) -> None:
    (root / f"{LOG}.bak").write_bytes(ROWS.replace(b"6", b"7"))
    (root / LOG).unlink()
    _audit(root)
    assert [each["id"] for each in diagnosed(root, ID)["offers"]] == ["adopt-journal"]


def test_adopted_it_is_held_to_what_it_is_and_taken_back_it_is_missed_again(root: Path) -> None:
    (root / BASELINES).write_bytes((root / BASELINES).read_bytes()[:-9])
    _audit(root)
    plan = repaired(root, ID, "--offer", "adopt-journal", *WHY)
    assert f"{BASELINES}: 9 of the" in json.dumps(plan)
    assert verdict(root, ID) == "clear"
    assert b"nothing of it is needed" in (root / paths.JOURNAL_MEMORY).read_bytes()
    taken_back_once(root, plan["incident_id"])
    assert rerun(Workspace(root)).verdict == "detected"


def test_adopted_and_audited_since_its_undo_says_why_not_and_what_does(root: Path) -> None:
    before = (root / LOG).read_bytes()
    (root / LOG).write_bytes(before[:-9])
    _audit(root)
    plan = repaired(root, ID, "--offer", "adopt-journal", *WHY)
    _audit(root)
    refused = distill(root, "undo", plan["incident_id"])
    assert refused.returncode == 2
    happened, kept, then = refused.stderr.splitlines()[-3:]
    assert f"An audit followed in {paths.JOURNAL_MEMORY}" in happened
    assert "Nothing was changed" in kept
    assert "put them there, then: distill baseline adopt --note WHY" in then
    (root / LOG).write_bytes(before)
    adopted = engine(root, "baseline", "adopt", "--note", "the bytes are back")
    assert adopted.returncode == 0, adopted.stderr
    _audit(root)
    assert (_missed(root)["failed"], raised(root)) == (0, [])


def test_one_with_a_copy_is_put_back_and_one_without_adopted_by_one_plan(root: Path) -> None:
    shutil.copy(root / LOG, root / f"{LOG}.bak")
    (root / LOG).unlink()
    (root / BASELINES).unlink()
    _audit(root)
    plan = repaired(root, ID, "--offer", "restore-journal", *WHY)
    assert "bytes that an audit read are lost for good" in json.dumps(plan)
    assert (root / LOG).read_bytes() == ROWS
    taken_back_once(root, plan["incident_id"])
    journals: Any = rerun(Workspace(root)).facts["journals"]
    found = {each["file"] for each in journals}
    assert found == {LOG, BASELINES}


def test_while_a_journal_is_missed_nobody_decides_what_is_normal(root: Path) -> None:
    row = json.loads((root / BASELINES).read_bytes().splitlines()[-1])
    row["metrics"]["evidence_rows"] *= 2
    (root / BASELINES).write_text(json.dumps(row) + "\n")
    _audit(root)
    told = diagnosed(root, ID)
    assert told["diagnosis"]["cause"]["id"] == "journal_changed"
    assert "evidence_rows" in " ".join(told["diagnosis"]["cause"]["places"])
    assert [each["id"] for each in told["offers"]] == ["adopt-journal"]


def test_a_report_of_an_engine_without_that_check_raises_nothing(root: Path) -> None:
    report = json.loads((root / paths.AUDIT_DATA).read_bytes())
    report["checks"] = [each for each in report["checks"] if each["id"] != "P5.journals"]
    (root / paths.AUDIT_DATA).write_text(json.dumps(report))
    (root / LOG).unlink()
    assert raised(root) == []


def test_journals_that_nobody_could_look_at_are_not_clear(root: Path) -> None:
    report = json.loads((root / paths.AUDIT_DATA).read_bytes())
    (check,) = [each for each in report["checks"] if each["id"] == "P5.journals"]
    check["status"] = "error"
    (root / paths.AUDIT_DATA).write_text(json.dumps(report))
    told = glance(Workspace(root).facts())
    assert (told.verdict, told.observed.split(":")[0]) == ("unknown", "P5.journals error")
    (root / LOG).unlink()
    assert verdict(root, ID) == "detected", "the look sees for itself"
