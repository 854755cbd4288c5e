"""``distill quarantine FILE``: move a contaminated export out of every reader's sight.

What a breach is in belongs to the incident of that breach, whoever opens it first.
"""

from __future__ import annotations

import argparse
from pathlib import PurePosixPath

from pipeline.contracts import paths
from pipeline.contracts.status import Verdict
from pipeline.contracts.symptoms import LEAK
from pipeline.platform.voice import Voice
from runbook.actions.quarantine import plan_quarantine
from runbook.change.plan import Draft, RenameFile
from runbook.change.planning import Planning
from runbook.change.refusals import why_failed
from runbook.commands.consenting import apply_by_hash
from runbook.commands.direct import preview_directly, relative_to
from runbook.probes.workspace import Workspace
from runbook.symptom import Offer, Symptom
from runbook.wizard.driver import Driver


def run(arguments: argparse.Namespace, voice: Voice) -> int:
    root = voice.workspace
    if arguments.plan:
        return apply_by_hash(root, arguments, voice)
    path = relative_to(root, arguments.file)

    def make(planning: Planning) -> Draft:
        return plan_quarantine(planning, path)

    def in_the_breach(workspace: Workspace) -> Driver | None:
        symptom = _leak(voice) if PurePosixPath(path).is_relative_to(paths.EXPORTS) else None
        driver = Driver(workspace, symptom, argv=("distill", "quarantine", path))
        offer = _containment(driver)
        moved = _moved_by(offer, workspace) if offer is not None else []
        if offer is None or path not in moved:
            return None
        with driver.acting():
            if moved == [path]:
                driver.plan(offer.id, {})
            else:
                driver.plan_by_hand(make)
        return driver

    return preview_directly(
        root, f"quarantine {path}", make, arguments, voice, plan_where_it_belongs=in_the_breach
    )


def _leak(voice: Voice) -> Symptom | None:
    """None where the symptoms are broken: what is done by hand works all the same."""
    try:
        from runbook.symptoms import SYMPTOMS
    except Exception as error:  # noqa: BLE001 - whatever is wrong with them, a file can be set aside
        voice.note(f"in an incident of its own, because the symptoms cannot be loaded: {why_failed(error)}")
        return None
    return next(each for each in SYMPTOMS if each.id == LEAK)


def _containment(driver: Driver) -> Offer | None:
    """What moves all of a breach aside, while there is one."""
    symptom = driver.symptom
    if symptom is None or driver.look().verdict is not Verdict.DETECTED:
        return None
    return next((each for each in symptom.offers(driver.look(), None) if each.immediate), None)


def _moved_by(offer: Offer, workspace: Workspace) -> list[str]:
    """The files that it renames. Raises RefusedError."""
    draft = offer.make(Planning(workspace, "trial", LEAK, "trial", 0.0), {})
    return [step.path for step in draft.plan.steps if isinstance(step, RenameFile)]
