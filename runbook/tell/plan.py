"""A plan as it is read before consent: steps, differences, the way back, what the rehearsal showed."""

from __future__ import annotations

from typing import Any

from pipeline.contracts.untrusted import visible
from runbook.change.plan import Plan, Rehearsal
from runbook.change.preview import diff_lines, step_lines
from runbook.probes.workspace import Workspace
from runbook.wizard.incident import Incident


def plan_lines(
    workspace: Workspace, incident: Incident, plan: Plan, rehearsal: Rehearsal | None
) -> list[str]:
    lines = [visible(plan.title), f"incident {incident.id} · plan {plan.hash[:12]} · code {plan.code}"]
    lines += step_lines(plan)
    if differences := diff_lines(workspace, incident, plan):
        lines += ["", *differences]
    lines += ["", *(f"note: {visible(note)}" for note in plan.notes)]
    lines += [f"undo: {visible(plan.undo)}", f"rehearsed: {rehearsal_words(plan, rehearsal)}"]
    return [*lines, f"verified by: the detector of {plan.verify}"] if plan.verify else lines


def rehearsal_words(plan: Plan, rehearsal: Rehearsal | None) -> str:
    """What the rehearsal of the undo showed, in one line."""
    if rehearsal is None:
        return "not yet" if plan.needs_rehearsal else "not needed; a rename takes itself back"
    word = "yes" if rehearsal.ok else "FAILED"
    return f"{word}; {visible(rehearsal.detail)} ({rehearsal.took_seconds:.1f} s)"


def plan_data(incident_id: str, plan: Plan, rehearsal: Rehearsal | None) -> dict[str, Any]:
    """The same for machines."""
    return {
        "incident_id": incident_id,
        "plan_hash": plan.hash,
        "code": plan.code,
        "plan": plan.model_dump(mode="json"),
        "rehearsal": rehearsal.model_dump(mode="json") if rehearsal else None,
        "command": plan.command,
    }
