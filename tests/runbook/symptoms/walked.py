"""A small workspace that the real engine filled, and the headless walk through a wizard in it."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.contracts.faults import ExitCode
from runbook.workspace import Workspace
from tests.pipeline.engine.workspaces import SETTINGS, make_workspace, run_all
from tests.runbook.test_commands import CONSENT, distill, planned
from tests.runbook.workspaces import TAG, git, tree

RECON = "docs/recon/local-distillation-recon.md"


def filled(root: Path, *, more_settings: str = "") -> Workspace:
    """Run once, committed and tagged."""
    shutil.copytree(_template(more_settings), root)
    return Workspace(root)


@cache
def _template(more_settings: str) -> Path:
    """Made once: the run takes longer than the walks."""
    above = Path(tempfile.mkdtemp(prefix="distill-test-"))
    atexit.register(shutil.rmtree, above, ignore_errors=True)
    root = make_workspace(above / "w", settings=SETTINGS + more_settings)
    (root / RECON).parent.mkdir(parents=True)
    (root / RECON).write_text("# Recon\n\nTwo streams.\n")
    (root / ".gitignore").write_text("data/\nexports/\nreports/\n.distill/\n")
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "-m", "all of it")
    git(root, "tag", TAG)
    run_all(root)
    return root


def raised(root: Path) -> list[str]:
    """The ids of the symptoms that show."""
    found = json.loads(distill(root, "runbook", "detect", "--json").stdout)
    return [each["id"] for each in found["symptoms"] if each["verdict"] == "detected"]


def verdict(root: Path, symptom_id: str) -> str:
    found = json.loads(distill(root, "runbook", "detect", "--json").stdout)
    return next(str(each["verdict"]) for each in found["symptoms"] if each["id"] == symptom_id)


def diagnosed(root: Path, symptom_id: str) -> dict[str, Any]:
    done = distill(root, "runbook", "diagnose", symptom_id, "--json")
    assert done.returncode == ExitCode.CHECK_FAILED, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def cause(root: Path, symptom_id: str) -> tuple[str, str]:
    found = diagnosed(root, symptom_id)["diagnosis"]["cause"]
    return found["id"], found["confidence"]


def applied(root: Path, plan: dict[str, Any]) -> None:
    done = distill(root, "runbook", "apply", "--plan", plan["plan_hash"], *CONSENT)
    assert done.returncode == ExitCode.OK, done.stdout + done.stderr


def repaired(root: Path, symptom_id: str, *words: str, ends: str = "resolved") -> dict[str, Any]:
    """Plan and apply headless; the incident must end as ``ends``. Returns the plan's preview."""
    plan = planned(root, "runbook", "plan", symptom_id, *words)
    assert plan["rehearsal"] is None or plan["rehearsal"]["ok"], plan["rehearsal"]
    applied(root, plan)
    shown = json.loads(distill(root, "incident", "list", "--json").stdout)
    states = {each["incident_id"]: each["state"] for each in shown["incidents"]}
    assert states[plan["incident_id"]] == ends
    return plan


def taken_back(root: Path, plan: dict[str, Any], broken: dict[str, tuple[str, int]]) -> None:
    """Undo, and every file is what it was while it was broken."""
    taken_back_once(root, plan["incident_id"])
    assert tree(root) == broken


def taken_back_once(root: Path, incident_id: str) -> None:
    """Undo the last change of an incident."""
    back = planned(root, "undo", incident_id)
    done = distill(root, "undo", "--plan", back["plan_hash"], *CONSENT)
    assert done.returncode == ExitCode.OK, done.stdout + done.stderr
