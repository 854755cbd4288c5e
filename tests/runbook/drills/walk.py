"""A drill from planting to an undo that is byte-identical, headless."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runbook.detecting import detect_all, detect_one
from runbook.drills.drill import Drill, Planted
from runbook.drills.scene import Scene
from runbook.plan import Plan, RunCommand
from runbook.session import Session, open_session, reopen_session
from runbook.symptoms import SYMPTOMS
from runbook.undo import last_undoable
from runbook.workspace import Workspace
from tests.runbook.drills.killing import walk_offer
from tests.runbook.symptoms.walked import raised, taken_back_once
from tests.runbook.test_commands import distill
from tests.runbook.workspaces import tree


@dataclass(frozen=True)
class Walked:
    """What came of it, for the table. ``killed`` are the boundaries at which the wizard died."""

    drill: str
    seed: int
    planted: Planted
    detected_seconds: float
    cause: str
    steps: tuple[str, ...]
    verified: str
    undone: str
    killed: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """What showed after the planting, ``seconds`` after it, and which cause was named."""

    planted: Planted
    shown: list[str]
    seconds: float
    cause: str


def find(drill: Drill, scene: Scene) -> Found:
    """Plant, detect and diagnose. Raises AssertionError where something is not as declared."""
    planted = drill.plant(scene)
    began = time.monotonic()
    if planted.audited:
        scene.audit()
    shown = raised(scene.root)
    seconds = time.monotonic() - began
    assert sorted(shown) == sorted({drill.symptom_id, *planted.also}), shown
    return Found(planted, shown, seconds, _diagnosed(scene.root, drill, planted))


def walk(drill: Drill, scene: Scene, seed: int, *, kill: bool) -> Walked:
    """All of it. Raises AssertionError where something is not as the drill declares it."""
    root, workspace = scene.root, scene.workspace
    found = find(drill, scene)
    planted, broken = found.planted, tree(root)
    session, killed = _repaired(workspace, planted.repaired_by or drill.symptom_id, planted, kill=kill)
    symptom = next(each for each in SYMPTOMS if each.id == drill.symptom_id)
    verified = detect_one(workspace, symptom, full=True)
    assert verified.verdict == "clear", verified.observed
    left = _showing(workspace)
    assert set(left) <= set(planted.also), f"after the repair: {left}"
    steps = _steps(session)
    _taken_back(root, session)
    assert tree(root) == broken, _difference(broken, tree(root))
    assert sorted(_showing(workspace)) == sorted(found.shown), "taken back, and it does not ring as it did"
    return Walked(
        drill.id,
        seed,
        planted,
        found.seconds,
        found.cause,
        steps,
        str(verified.verdict),
        "byte-identical",
        tuple(killed),
    )


def _showing(workspace: Workspace) -> list[str]:
    """As ``distill runbook detect`` has it, without another process."""
    return [each.symptom.id for each in detect_all(workspace, SYMPTOMS) if each.is_raised]


def _diagnosed(root: Path, drill: Drill, planted: Planted) -> str:
    broken = tree(root)
    done = distill(root, "runbook", "diagnose", drill.symptom_id, "--json")
    assert done.returncode == 1, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    diagnosis = found["diagnosis"]
    cause = diagnosis["cause"]
    assert cause["id"] == planted.cause, f"{cause['id']} ({cause['confidence']}): {cause}"
    if planted.confidence is not None:
        assert cause["confidence"] == planted.confidence, cause
    if planted.repaired_by is not None:
        assert diagnosis["see"] == planted.repaired_by, diagnosis["see"]
    assert tree(root) == broken, "looking at it changed it"
    return f"{cause['id']} ({cause['confidence']}): {'; '.join(cause['places'][:3])}"


def _repaired(
    workspace: Workspace, symptom_id: str, planted: Planted, *, kill: bool
) -> tuple[Session, list[str]]:
    symptom = next(each for each in SYMPTOMS if each.id == symptom_id)
    session = open_session(workspace, symptom, detect_one(workspace, symptom))
    killed: list[str] = []
    offers = (planted.offer, *planted.afterwards)
    for number, offer in enumerate(offers, start=1):
        killed += walk_offer(workspace, session.incident.id, offer, planted.answers, kill=kill)
        session = reopen_session(workspace, session.incident.id, SYMPTOMS)
        expected = "resolved" if number == len(offers) else "mitigated"
        assert session.standing.state == expected, (session.standing.state, session.standing.trouble)
    assert session.incident.journal.problems() == []
    return session, killed


def _steps(session: Session) -> tuple[str, ...]:
    plans = [
        Plan.model_validate(entry.detail["plan"])
        for entry in session.incident.journal.entries()
        if entry.kind == "planned"
    ]
    return tuple(
        f"distill {' '.join(step.arguments)}" if isinstance(step, RunCommand) else _file_step(step)
        for plan in plans
        for step in plan.steps
    )


def _file_step(step: Any) -> str:
    path = getattr(step, "path", "")
    return f"{step.type.replace('_', ' ')} {path}".rstrip()


def _taken_back(root: Path, session: Session) -> None:
    """Undo upon undo, until nothing is left to take back."""
    while last_undoable(session.incident.journal.entries()) is not None:
        taken_back_once(root, session.incident.id)


def _difference(wanted: dict[str, Any], found: dict[str, Any]) -> str:
    names = sorted(name for name in {*wanted, *found} if wanted.get(name) != found.get(name))
    return f"not as before: {names[:10]}"
