"""The only hand that moves a file: intent, change, outcome, each in the journal before the next.

Nothing is done without a consent to just this plan. If a file that the plan touches or rests on
is not as it was when the plan was made, the plan is void. A process that is killed in between
leaves an open intent, which is settled by looking at the files, never by assuming.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from pipeline.contracts.faults import ExitCode, OperatorError
from pipeline.contracts.untrusted import visible
from pipeline.platform.engine_choice import TrustNeededError
from runbook.change import files
from runbook.change.applied import (
    Applied,
    Boundary,
    StepAtWork,
    expected_states,
    no_boundary,
    read_applied,
    states_from,
)
from runbook.change.command_step import present, run_command, settle_command
from runbook.change.engine_trust import refuse_untrusted_runs, renew_trust
from runbook.change.file_step import change_file, differs, quiet
from runbook.change.incident import Incident
from runbook.change.plan import Manual, Plan, PruneKept, RunCommand
from runbook.change.prune_step import prune_kept, settle_prune
from runbook.change.refusals import ApprovalNeededError, PlanVoidError
from runbook.probes.workspace import Workspace

# What a rehearsal's journal says of a run that it left out.
LEFT_OUT = "skipped: the code that it would run is not trusted"


class StepFailedError(OperatorError):
    """A step could not be carried out as planned; what was done before it stands."""

    exit_code = ExitCode.VERIFICATION_FAILED


def apply_plan(
    workspace: Workspace,
    incident: Incident,
    plan: Plan,
    *,
    boundary: Boundary = no_boundary,
    rehearses: bool = False,
) -> Applied:
    """Carry out what is left of ``plan``. The caller holds the incident's lease.

    Trust is renewed for what it writes: a person consented to that. What ``rehearses`` comes before consent:
    it renews none, and leaves out the runs of code that nobody trusts, and those after them.
    Raises ApprovalNeededError without a consent, TrustNeededError before code runs that nobody trusts,
    PlanVoidError when a file has changed, StepFailedError, StorageError, WorkspaceLockedError. May be called
    again after any of them.
    """
    settle(workspace, incident, plan)
    applied = read_applied(incident.journal.entries(), plan.hash)
    if not applied.consented:
        raise _not_consented(plan)
    refuse_when_changed(workspace.root, plan, applied)
    if not rehearses:
        refuse_untrusted_runs(workspace.root, plan, applied)
    try:
        applied = _carry_out(workspace, incident, plan, applied, boundary, rehearses)
    except OperatorError:
        if not rehearses:
            with contextlib.suppress(OperatorError):
                renew_trust(workspace.root, incident, read_applied(incident.journal.entries(), plan.hash))
        raise
    if not rehearses:
        renew_trust(workspace.root, incident, applied)
    incident.pack_kept()
    return applied


def _carry_out(
    workspace: Workspace,
    incident: Incident,
    plan: Plan,
    applied: Applied,
    boundary: Boundary,
    rehearses: bool,
) -> Applied:
    # Trust is renewed before code runs and at the end, not after each step: it reads the engine whole.
    boundary("begun")
    left_out = False
    for index, step in enumerate(plan.steps):
        if index in applied.steps and applied.steps[index].done:
            continue
        work = StepAtWork(workspace, incident, plan.hash, index, boundary)
        expected = expected_states(plan, applied)
        match step:
            case RunCommand() if left_out:
                _leave_out(incident, plan.hash, index)
            case RunCommand():
                if not rehearses:
                    renew_trust(workspace.root, incident, applied)
                try:
                    run_command(work, step, expected)
                except TrustNeededError:
                    if not rehearses:
                        raise
                    left_out = True
                    _leave_out(incident, plan.hash, index)
            case PruneKept():
                prune_kept(work, step)
            case Manual():
                _record_end(incident, plan.hash, index, "told", step.says, by_hand=step.by_hand)
            case _:
                with quiet(workspace.root, incident, step):
                    change_file(work, step, expected)
        boundary(f"outcome:{index}")
        applied = read_applied(incident.journal.entries(), plan.hash)
        if not applied.steps[index].done:
            raise _failed(incident, plan, index, applied.steps[index].said)
    return applied


def _not_consented(plan: Plan) -> ApprovalNeededError:
    return ApprovalNeededError.of(
        "approval_needed",
        f"The plan {plan.hash[:12]} ({plan.title}) has no consent.",
        "Nothing was changed.",
        plan.command,
    )


def _failed(incident: Incident, plan: Plan, index: int, said: str) -> StepFailedError:
    return StepFailedError.of(
        "step_failed",
        f"Step {index + 1} of {len(plan.steps)} failed: {visible(said, 300)}.",
        "The steps before it stand; everything that was replaced is kept in the incident's folder.",
        f"Go on: distill runbook resume {incident.id}. Undo: distill undo {incident.id}",
    )


def refuse_when_changed(root: Path, plan: Plan, applied: Applied) -> None:
    """Raises PlanVoidError when a file is not as the plan, as far as it got, left or found it."""
    for path, expected in expected_states(plan, applied).items():
        found = files.state_of(root, path)
        if found != expected:
            raise PlanVoidError.of(
                "plan_void",
                f"{path} has changed since the plan was made: {differs(expected, found)}.",
                "Nothing was changed since the preview."
                if not applied.steps
                else "The steps that were done stand; nothing further was changed.",
                "Make the plan again and look at it again: distill runbook plan, or the wizard.",
                file=path,
            )
    for step in plan.steps:
        if isinstance(step, RunCommand):
            known = expected_states(plan, applied)
            new = [path for path in present(root, step) if path not in known]
            if new:
                raise PlanVoidError.of(
                    "plan_void",
                    f"{new[0]} was not there when the plan was made.",
                    "Nothing further was changed.",
                    "Make the plan again: distill runbook plan, or the wizard.",
                    file=new[0],
                )


def _record_end(incident: Incident, plan_hash: str, index: int, verdict: str, said: str, **more: str) -> None:
    """The outcome of a step that changes nothing from here."""
    detail = {"step": index, "done": True, "said": said, **more}
    incident.journal.append("outcome", "applying", verdict=verdict, plan_hash=plan_hash, detail=detail)


def _leave_out(incident: Incident, plan_hash: str, index: int) -> None:
    _record_end(incident, plan_hash, index, "left out", LEFT_OUT)


def settle(workspace: Workspace, incident: Incident, plan: Plan) -> str | None:
    """Close an open intent by what the files say; returns how it was settled, None without one.

    Done and not done are told by the digests. A file that is neither is a conflict: it is recorded
    as found and StepFailedError is raised, because nobody but a person can know whose bytes it has.
    """
    applied = read_applied(incident.journal.entries(), plan.hash)
    if applied.open_step is None or applied.open_entry is None:
        return None
    work, step = StepAtWork(workspace, incident, plan.hash, applied.open_step), plan.steps[applied.open_step]
    detail = applied.open_entry.detail
    if isinstance(step, RunCommand):
        return settle_command(work, step, applied)
    if isinstance(step, PruneKept):
        return settle_prune(work, step)
    before, after = states_from(detail.get("before")), states_from(detail.get("after"))
    found = {path: files.state_of(workspace.root, path) for path in before}
    named = detail.get("folders")
    made = [str(each) for each in named] if isinstance(named, list) else []
    folders = tuple(each for each in made if (workspace.root / each).is_dir())
    if found == after:
        work.record(before, found, folders, done=True, settled=True)
        return "done"
    if found == before:
        work.record(before, found, folders, done=False, settled=True, said="not begun")
        return "not done"
    said = "; ".join(f"{path}: {differs(before[path], found[path])}" for path in before)
    work.record(before, found, folders, done=False, settled=True, said=said)
    raise _failed(incident, plan, work.index, f"neither as before nor as planned: {said}")
