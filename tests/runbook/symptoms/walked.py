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
from pipeline.contracts.status import Verdict
from pipeline.platform.engine_choice import trust_what_we_made
from runbook.commands.runbook import diagnosis_data
from runbook.probes.workspace import Workspace
from runbook.symptom import Symptom
from runbook.symptoms import SYMPTOMS
from runbook.wizard.detecting import detect_all, detect_one
from runbook.wizard.diagnosing import diagnose_only
from tests.git_commands import git
from tests.pipeline.engine.workspaces import SETTINGS, make_workspace, run_all
from tests.runbook.command_line import CONSENT, distill, planned
from tests.runbook.workspaces import TAG, tree

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
    trust_what_we_made(root)  # whoever looks here runs what lies here
    return [each.symptom.id for each in detect_all(Workspace(root), SYMPTOMS) if each.is_raised]


def verdict(root: Path, symptom_id: str) -> str:
    trust_what_we_made(root)  # whoever looks here runs what lies here
    return str(detect_one(Workspace(root), _symptom(symptom_id)).verdict)


def diagnosed(root: Path, symptom_id: str) -> dict[str, Any]:
    """What ``runbook diagnose --json`` says of a symptom that shows, without a process of its own."""
    trust_what_we_made(root)  # whoever looks here runs what lies here
    workspace, symptom = Workspace(root), _symptom(symptom_id)
    detection = detect_one(workspace, symptom)
    assert detection.verdict is Verdict.DETECTED, detection.observed
    return diagnosis_data(symptom, detection, *diagnose_only(workspace, symptom, detection))


def _symptom(symptom_id: str) -> Symptom:
    return next(each for each in SYMPTOMS if each.id == symptom_id)


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
