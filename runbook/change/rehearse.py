"""Prove the way back before the way there is offered: plan and undo, carried out in a copy.

The copy is of the workspace as it is now, its files are compared one by one afterwards, and the
hands are the same that will do it for real. A rename needs no proof. Nobody has consented yet, so a
run of code that is not trusted is left out, and the result says so.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from pipeline.contracts import paths
from pipeline.contracts.faults import OperatorError
from pipeline.contracts.plurals import differ, plural
from pipeline.contracts.shell_words import joined
from pipeline.contracts.untrusted import visible
from pipeline.platform.disk_faults import storage_fault
from runbook.change.applied import Applied, States
from runbook.change.apply import LEFT_OUT, apply_plan
from runbook.change.engine_trust import refuse_untrusted_runs
from runbook.change.files import files_below, state_of
from runbook.change.incident import Incident, open_incident
from runbook.change.plan import Draft, FileState, Plan, Rehearsal, RunCommand
from runbook.change.planning import Planning
from runbook.change.refusals import NOTHING_CHANGED
from runbook.change.undo import plan_undo
from runbook.change.workspace_copy import workspace_copy
from runbook.probes.workspace import Workspace

_MOST_NAMED = 20


def rehearse(planning: Planning, draft: Draft, incident: Incident) -> Rehearsal:
    """Apply and undo ``draft`` in a copy. Never raises for what goes wrong there: that is the result.

    ``incident`` holds bytes that an undo's plan puts back.
    """
    began = time.monotonic()
    changed: tuple[str, ...] = ()
    left_out = ""
    linked = copied = 0

    def ended(detail: str, *, ok: bool = False) -> Rehearsal:
        return Rehearsal(
            ok=ok,
            took_seconds=round(time.monotonic() - began, 3),
            detail=detail,
            left_out=left_out,
            changed=changed[:_MOST_NAMED],
            linked_bytes=linked,
            copied_bytes=copied,
        )

    try:
        tell = planning.workspace.tell
        tell("rehearsal 1 of 4: copying the workspace")
        with workspace_copy(planning.workspace.root) as copy:
            linked, copied = copy.linked_bytes, copy.copied_bytes
            workspace = Workspace(copy.root, history=planning.workspace.root)
            scratch = open_incident(copy.root, planning.symptom_id, draft.plan.title, durable=False)
            before = dict(_states(copy.root))
            tell("rehearsal 2 of 4: applying the plan in the copy")
            done = _carry_out(workspace, scratch, draft, incident)
            left_out = _left_out(planning.workspace.root, draft.plan, done)
            changed = _differing(before, dict(_states(copy.root)))
            tell("rehearsal 3 of 4: undoing it in the copy")
            in_copy = Planning(workspace, scratch.id, planning.symptom_id, planning.actor, planning.now)
            if done.changed_anything or not left_out:
                _carry_out(workspace, scratch, plan_undo(in_copy, scratch, draft.plan), incident)
            tell("rehearsal 4 of 4: comparing every file")
            different = _differing(before, dict(_states(copy.root)))
    except (OperatorError, OSError) as error:
        return ended(visible(_why(error, planning.workspace.root), 300))
    if different:
        named = ", ".join(visible(path) for path in different[:3])
        return ended(differ(len(different), f"after undo: {named}"))
    return ended(f"{plural(len(before), 'file')} compared: byte-identical after undo", ok=True)


def _differing(before: States, after: States) -> tuple[str, ...]:
    return tuple(sorted(path for path in {*before, *after} if before.get(path) != after.get(path)))


def _why(error: OperatorError | OSError, root: Path) -> str:
    if isinstance(error, OSError):
        error = storage_fault(error, Path(error.filename or root), NOTHING_CHANGED)
    return error.fault.what_happened


def _carry_out(workspace: Workspace, scratch: Incident, draft: Draft, incident: Incident) -> Applied:
    for data in draft.contents.values():
        scratch.keep(data)
    _lend(draft.plan, incident, scratch)
    journal, plan = scratch.journal, draft.plan
    journal.append("planned", "planned", plan_hash=plan.hash, detail={"plan": plan.model_dump(mode="json")})
    journal.append("consent", "applying", plan_hash=plan.hash, reason="rehearsal")
    return apply_plan(workspace, scratch, plan, rehearses=True)


def _left_out(root: Path, plan: Plan, done: Applied) -> str:
    """Which runs were left out, and how their code comes to be trusted; empty where none was."""
    steps = [plan.steps[index] for index, record in sorted(done.steps.items()) if record.said == LEFT_OUT]
    commands = [joined(["distill", *step.arguments]) for step in steps if isinstance(step, RunCommand)]
    if not commands:
        return ""
    try:
        refuse_untrusted_runs(root, plan, Applied())
        how = "your consent trusts it"
    except OperatorError:
        how = f"look at it and trust it first: {joined(['distill', 'trust', str(root)])}"
    said = ", ".join(visible(command, 120) for command in commands)
    return f"{said}: the engine that would run is not trusted yet; {how}"


def _lend(plan: Plan, incident: Incident, scratch: Incident) -> None:
    """Give the copy the bytes of the real incident's store that the plan needs."""
    for step in plan.steps:
        content = getattr(step, "content", None)
        digest = getattr(content, "sha256", None)
        if isinstance(digest, str) and not (scratch.folder / "kept" / digest).exists():
            scratch.keep(incident.kept(digest))


def _states(root: Path) -> Iterator[tuple[str, FileState]]:
    """Every file but those of the incident, what is remembered of journals, and what can be made again.

    That memory is a journal itself: taking a row back is one more line of it.
    """
    tops = [each.name for each in root.iterdir() if each.name != paths.STATE.parts[0]]
    names = (*tops, str(paths.RUN_STATE))
    for path in files_below(root, names):
        own = path.startswith(f"{paths.INCIDENTS}/") or path == str(paths.JOURNAL_MEMORY)
        if not own and "__pycache__" not in path:
            yield path, state_of(root, path)
