"""A drill from planting to an undo that is byte-identical, headless."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runbook.change.plan import Plan, RunCommand
from runbook.change.undo import last_undoable
from runbook.drills.drill import Drill, Planted, Scene
from runbook.drills.start import planted as plant_it
from runbook.probes.evidence import Cause, Diagnosis
from runbook.probes.workspace import Workspace
from runbook.symptom import Symptom
from runbook.symptoms import DRILLS, SYMPTOMS
from runbook.wizard.detecting import detect_all, detect_one
from runbook.wizard.session import WizardSession, open_session, reopen_session
from tests.runbook.command_line import distill
from tests.runbook.drills.faces import detect, glanced_rows, six_faces
from tests.runbook.drills.killing import walk_offer
from tests.runbook.drills.sound import sound_copy
from tests.runbook.symptoms.walked import taken_back_once
from tests.runbook.workspaces import tree

SEED = 20_261_124
# Where every wizard dies on the way. Not at "applied": killed at the last outcome it goes on to verify.
ALWAYS = {"classified", "planned", "consented", "begun", "verified"}


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
class Seen:
    """What showed after the planting, ``seconds`` after it."""

    planted: Planted
    seconds: float


def plant(drill: Drill, scene: Scene) -> Seen:
    """Plant and detect. Raises AssertionError unless just what is declared shows."""
    planted = plant_it(drill, scene)
    began = time.monotonic()
    if planted.audited:
        scene.audit()
    told = {row["id"]: row for row in glanced_rows(scene.root)}
    detected = detect(scene.root)
    seconds = time.monotonic() - began
    faces = six_faces(scene.root, detected)
    shown = set(faces["runbook detect"])
    assert shown == {drill.symptom_id, *planted.also}, sorted(shown)
    assert set(told) <= shown, "a glance rings where a look does not"
    assert [name for name, row in told.items() if row["since"] is None] == []
    reported = {name: int(row["since"]) for name, row in told.items() if row["origin"]["source"] != "live"}
    assert {name: faces["status"][name][1] for name in reported} == reported, "it was told before the look"
    assert {name: said for name, said in faces.items() if said != faces["runbook detect"]} == {}
    return Seen(planted, seconds)


def find(drill: Drill, scene: Scene) -> None:
    """Plant, detect and diagnose, by the command line that an operator types; nothing is changed."""
    planted = plant(drill, scene).planted
    broken = tree(scene.root)
    done = distill(scene.root, "runbook", "diagnose", drill.symptom_id, "--json")
    assert done.returncode == 1, done.stdout + done.stderr
    _as_declared(Diagnosis.model_validate(json.loads(done.stdout)["diagnosis"]), planted)
    assert tree(scene.root) == broken, "looking at it changed it"


def drills_of(*symptom_ids: str) -> tuple[Drill, ...]:
    """Every drill of these symptoms."""
    return tuple(drill for drill in DRILLS if drill.symptom_id in symptom_ids)


def killed_walk(drill: Drill, template: Path, root: Path) -> None:
    """The walk by a wizard that dies at every boundary, in a copy of ``template`` at ``root``."""
    walked = walk(drill, sound_copy(template, root, SEED), SEED, kill=True)
    assert set(walked.killed) >= ALWAYS


def walk(drill: Drill, scene: Scene, seed: int, *, kill: bool) -> Walked:
    """All of it. Raises AssertionError where something is not as the drill declares it."""
    root, workspace = scene.root, scene.workspace
    seen = plant(drill, scene)
    planted, broken = seen.planted, tree(root)
    session, killed = _repaired(workspace, drill.symptom_id, seen, kill=kill)
    standing = session.standing
    diagnosis = standing.diagnosis
    assert diagnosis is not None
    _as_declared(diagnosis, planted)
    left = _showing(workspace)
    assert left <= set(planted.also), f"after the repair: {sorted(left)}"
    steps = _steps(session)
    _taken_back(root, session)
    assert tree(root) == broken, _difference(broken, tree(root))
    return Walked(
        drill.id,
        seed,
        planted,
        seen.seconds,
        _told(diagnosis.cause),
        steps,
        str(standing.verified.verdict if standing.verified else None),
        "byte-identical",
        tuple(killed),
    )


def _showing(workspace: Workspace) -> set[str]:
    """As ``distill runbook detect`` has it, without another process."""
    return {each.symptom.id for each in detect_all(workspace, SYMPTOMS) if each.is_raised}


def _symptom(symptom_id: str) -> Symptom:
    return next(each for each in SYMPTOMS if each.id == symptom_id)


def _as_declared(diagnosis: Diagnosis, planted: Planted) -> None:
    cause = diagnosis.cause
    assert cause.id == planted.cause, f"{cause.id} ({cause.confidence}): {cause}"
    if planted.confidence is not None:
        assert cause.confidence == planted.confidence, cause


def _told(cause: Cause) -> str:
    return f"{cause.id} ({cause.confidence}): {'; '.join(cause.places[:3])}"


def _repaired(
    workspace: Workspace, symptom_id: str, seen: Seen, *, kill: bool
) -> tuple[WizardSession, list[str]]:
    """The incident, led to *resolved*, which only a rerun of its detector reaches."""
    planted, symptom = seen.planted, _symptom(symptom_id)
    session = open_session(workspace, symptom, detect_one(workspace, symptom))
    killed: list[str] = []
    offers = (planted.offer, *planted.afterwards)
    for number, offer in enumerate(offers, start=1):
        killed += walk_offer(workspace, session.incident.id, offer, planted.answers, kill=kill)
        session = reopen_session(workspace, session.incident.id, SYMPTOMS)
        expected = "resolved" if number == len(offers) else "mitigated"
        standing = session.standing
        contains = "it only contains: the offers that repair follow in `afterwards` of the drill"
        why = standing.trouble or (contains if standing.state == "mitigated" else "")
        assert standing.state == expected, f"after {offer}: {standing.state}, and not {expected}; {why}"
    assert session.incident.journal.problems() == []
    return session, killed


def _steps(session: WizardSession) -> tuple[str, ...]:
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


def _taken_back(root: Path, session: WizardSession) -> None:
    """Undo upon undo, until nothing is left to take back."""
    while last_undoable(session.incident.journal.entries()) is not None:
        taken_back_once(root, session.incident.id)


def _difference(wanted: dict[str, Any], found: dict[str, Any]) -> str:
    names = sorted(name for name in {*wanted, *found} if wanted.get(name) != found.get(name))
    return f"not as before: {names[:10]}"
