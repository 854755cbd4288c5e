"""A workspace, its tag, journals and exports as they were made at 9e11b86, in today's hands."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

import pipeline
from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode
from pipeline.platform.engine_choice import trust_what_we_made
from runbook.actions.restore import plan_restore
from runbook.change.plan import RemoveFile, WriteFile
from runbook.probes.workspace import Workspace
from tests.git_commands import git
from tests.pipeline.audit.audited import passing_acceptance
from tests.runbook.carrying_out import carried_out, taken_back
from tests.runbook.workspaces import direct, planning, tree

ARCHIVE = Path(__file__).parents[2] / "fixtures/workspaces/9e11b86.tar.xz"
RUN_HASH = "aaf1fd24c2f57c6c89473a4c3f8e57f5f81729915dc8ce95d71cfae7d1b90620"
RECON = str(paths.RECON_DOC)
ENGINES = pytest.mark.parametrize("engine", ["workspace", "installed"])


@pytest.fixture
def night(tmp_path: Path) -> Path:
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    trust_what_we_made(tmp_path / "night")  # whose engine it is, its operator has said once
    return tmp_path / "night"


def distill(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DISTILL")}
    argv = [sys.executable, "-P", "-m", "console", "-C", str(root), *words]
    return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)


def answer(root: Path, *words: str, ends_with: ExitCode = ExitCode.OK) -> Any:
    done = distill(root, *words, "--json")
    assert done.returncode == ends_with, done.stderr
    return json.loads(done.stdout)


def use_engine(root: Path, engine: str) -> None:
    settings = root / paths.SETTINGS
    text = settings.read_text()
    assert text.count('source = "workspace"') == 1
    settings.write_text(text.replace('source = "workspace"', f'source = "{engine}"'))


def test_it_opens_without_a_symptom_and_its_firewall_is_clear(night: Path) -> None:
    before = tree(night)
    # No alarm; but its files are younger than its audit since they were unpacked, so that what the
    # audit found is stale, and stale is not clear.
    status = answer(night, "status", ends_with=ExitCode.NOT_EVALUATED)
    assert status["symptoms"] == []
    assert status["git"]["dirty"] is False
    assert status["git"]["tag_commit"] is not None
    scan = answer(night, "firewall", str(night / paths.SFT_EXPORT))
    assert (scan["state"], scan["rows_read"]) == ("CLEAR", 38)
    assert tree(night) == before


def test_its_exports_and_its_journals_verify(night: Path) -> None:
    exports = distill(night, "verify-export", str(night / "exports"))
    assert exports.returncode == ExitCode.OK, exports.stderr
    incidents = distill(night, "incident", "verify")
    assert incidents.returncode == ExitCode.OK
    assert incidents.stdout.count("the chain is intact") == 2
    listed = answer(night, "incident", "list")
    assert {each["state"] for each in listed["incidents"]} == {"resolved", "abandoned"}


@ENGINES
def test_the_audit_passes_without_drift_and_a_run_of_its_own_engine_comes_to_the_same_hash(
    night: Path, engine: str
) -> None:
    """The audit comes first: what lies there is judged as it was left."""
    use_engine(night, engine)
    audit = answer(night, "audit-full", *(_gate_passed(night) if engine == "installed" else ()))
    assert [check["id"] for check in audit["checks"] if check["status"] not in ("pass", "info")] == []
    assert len(audit["drift"]) == 31
    assert {row["status"] for row in audit["drift"]} == {"same"}
    run = distill(night, "run-all")
    assert run.returncode == ExitCode.OK, run.stderr
    assert (f"run_hash {RUN_HASH}" in run.stdout) == (engine == "workspace")


def test_todays_engine_writes_its_evidence_anew_and_nothing_drifts(night: Path) -> None:
    """The rows of an earlier version are scored and exported as they lie; the next run lifts them."""
    use_engine(night, "installed")
    categories = {name: _categories(night, name) for name in _streams(night)}
    for words in (("score",), ("export",), ("run-all",)):
        run = distill(night, *words)
        assert run.returncode == ExitCode.OK, run.stderr
        assert {name: _categories(night, name) for name in _streams(night)} == categories
    evidence = [line for name in _streams(night) for line in _rows(night / paths.evidence_file(name))]
    assert {row["schema_version"] for row in evidence} == {2}
    audit = answer(night, "audit-full", *_gate_passed(night))
    assert [check["id"] for check in audit["checks"] if check["status"] not in ("pass", "info")] == []
    assert {row["status"] for row in audit["drift"]} == {"same"}


def test_its_exports_are_read_as_they_lie_and_said_to_be_of_an_earlier_version(night: Path) -> None:
    use_engine(night, "installed")
    verified = distill(night, "verify-export", str(night / "exports"))
    assert "rows of an earlier version (rag 1, sft 1, preference 1)" in verified.stdout
    for export, place in paths.EXPORT_FILES.items():
        row = _rows(night / place)[0]
        traced = answer(night, "lineage", row["id"])
        assert traced["ok"], (export, traced)
        assert traced["row"]["file"] == str(place)
    written = distill(night, "export", "--format", "trl-conversational", "--format", "trl-preference")
    assert written.returncode == ExitCode.OK, written.stderr
    assert "rows of an earlier version" in written.stderr
    rows = _rows(night / paths.FORMATTED / "sft.trl-conversational.jsonl")
    assert len(rows) == len(_rows(night / paths.SFT_EXPORT)) == 38
    assert {message["role"] for row in rows for message in row["messages"]} >= {"user", "assistant"}
    assert distill(night, "card").returncode == ExitCode.OK
    assert distill(night, "firewall").returncode == ExitCode.OK


def test_a_run_writes_its_exports_as_those_of_today(night: Path) -> None:
    """One export alone leaves the others as they are; the manifest says which is which."""
    use_engine(night, "installed")
    manifest = night / paths.EXPORT_MANIFEST
    assert "schemas" not in json.loads(manifest.read_text())
    assert distill(night, "export-sft").returncode == ExitCode.OK
    assert json.loads(manifest.read_text())["schemas"] == {"rag": 1, "sft": 2, "preference": 1}
    audit = answer(night, "audit-full", *_gate_passed(night))
    assert [check["id"] for check in audit["checks"] if check["status"] not in ("pass", "info")] == []
    assert distill(night, "run-all").returncode == ExitCode.OK
    assert json.loads(manifest.read_text())["schemas"] == {"rag": 2, "sft": 2, "preference": 2}
    assert {row["shape"] for row in _rows(night / paths.SFT_EXPORT)} == {"flat", "conversation"}
    assert distill(night, "firewall").returncode == ExitCode.OK
    # The audit is older than the run, so that what it found is stale.
    assert answer(night, "status", ends_with=ExitCode.NOT_EVALUATED)["symptoms"] == []


def _gate_passed(root: Path) -> tuple[str, str]:
    """For audits that are about rows; the audit above starts the gate of the engine of then."""
    return "--acceptance-report", str(passing_acceptance(root.parent / "gate.json"))


def _streams(root: Path) -> list[str]:
    return sorted(path.stem for path in (root / paths.EVIDENCE).glob("*.jsonl"))


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _categories(root: Path, stream: str) -> dict[str, str]:
    return {row["run_id"]: row["category"] for row in _rows(root / paths.scored_file(stream))}


def test_a_page_is_restored_from_its_tag_and_comes_back(night: Path) -> None:
    workspace = Workspace(night)
    before = tree(night)
    session = direct(workspace)
    carried_out(session, plan_restore(session.planning(), [RECON]))
    assert (night / RECON).read_text().strip() == git(night, "show", f"{workspace.last_good_tag}:{RECON}")
    taken_back(session)
    assert tree(night) == before


def test_a_file_of_its_own_engine_is_restored_alone(night: Path) -> None:
    path = "pipeline/stages/score.py"
    (night / path).write_text("raise RuntimeError\n")
    plan = plan_restore(planning(Workspace(night)), [path]).plan
    assert [step.path for step in plan.steps if isinstance(step, WriteFile)] == [path]
    assert plan.notes == ()


def test_under_todays_engine_its_tag_is_named_as_of_another_layout_and_goes_back_whole(night: Path) -> None:
    """The workspace has taken over today's audit and what it stands on; a file of the tag imports modules
    where they were. Of the other packages nothing is taken over: each file would be a step of the plan."""
    tag = Workspace(night).last_good_tag
    today = Path(str(pipeline.__file__)).parent
    for module in (night / "pipeline").glob("*.py"):
        module.unlink()
    for name in ("audit", "platform"):
        shutil.rmtree(night / "pipeline" / name, ignore_errors=True)
        copied = shutil.ignore_patterns("__pycache__")
        shutil.copytree(today / name, night / "pipeline" / name, ignore=copied)
    for module in today.glob("*.py"):
        shutil.copy(module, night / "pipeline")
    session = direct(Workspace(night))
    draft = plan_restore(session.planning(), ["pipeline/audit/full.py"])
    assert draft.plan.notes[0].startswith(f"the engine of {tag} has another layout")
    assert "pipeline/audit/full.py needs pipeline." in draft.plan.notes[1]
    removed = {step.path for step in draft.plan.steps if isinstance(step, RemoveFile)}
    assert "pipeline/platform/git.py" in removed
    carried_out(session, draft)
    assert git(night, "status", "--porcelain", "--", "pipeline") == ""
    assert f"run_hash {RUN_HASH}" in distill(night, "run-all").stdout


def test_a_damaged_engine_of_the_same_layout_is_repaired_file_by_file(night: Path) -> None:
    """What the restored file imports is not there either, but nothing moved."""
    (night / "pipeline/git_state.py").write_text("raise RuntimeError\n")
    (night / "pipeline/audit/full.py").write_text("raise RuntimeError\n")
    plan = plan_restore(planning(Workspace(night)), ["pipeline/audit/full.py"]).plan
    assert [step.path for step in plan.steps if isinstance(step, WriteFile)] == ["pipeline/audit/full.py"]
    assert plan.notes == ()
