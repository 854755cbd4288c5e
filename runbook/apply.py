"""The only hand that moves a file: intent, change, outcome, each in the journal before the next.

Nothing is done without a consent to just this plan. If a file that the plan touches or rests on
is not as it was when the plan was made, the plan is void. A process that is killed in between
leaves an open intent, which is settled by looking at the files, never by assuming.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import assert_never

from pipeline.contracts.faults import ExitCode, Fault, IntegrityError, OperatorError
from pipeline.contracts.untrusted import visible
from runbook import files
from runbook.applied import Applied, States, expected_states, read_applied, states_as_json, states_from
from runbook.command_step import present, run_command, settle_command
from runbook.git_blobs import GitSilentError
from runbook.incident import Incident
from runbook.plan import (
    ABSENT,
    AppendLine,
    FileState,
    FileStep,
    GitBlob,
    Kept,
    Manual,
    Plan,
    RemoveFile,
    RenameFile,
    RunCommand,
    TruncateFile,
    WriteFile,
)
from runbook.refusals import ApprovalNeededError, PlanVoidError, disk_refused
from runbook.run_lock import hold_workspace
from runbook.workspace import Workspace

Boundary = Callable[[str], None]


class StepFailedError(OperatorError):
    """A step could not be carried out as planned; what was done before it stands."""

    exit_code = ExitCode.VERIFICATION_FAILED


def no_boundary(_name: str) -> None:
    """Tests end the process here; an operator's night does it unasked."""


def apply_plan(
    workspace: Workspace, incident: Incident, plan: Plan, *, boundary: Boundary = no_boundary
) -> Applied:
    """Carry out what is left of ``plan``. The caller holds the incident's lease.

    Raises ApprovalNeededError without a consent, PlanVoidError when a file has changed,
    StepFailedError, StorageError, WorkspaceLockedError. May be called again after any of them.
    """
    settle(workspace, incident, plan)
    applied = read_applied(incident.journal.entries(), plan.hash)
    if not applied.consented:
        raise _not_consented(plan)
    refuse_when_changed(workspace.root, plan, applied)
    boundary("begun")
    for index, step in enumerate(plan.steps):
        if index in applied.steps and applied.steps[index].done:
            continue
        expected = expected_states(plan, applied)
        match step:
            case RunCommand():
                run_command(workspace, incident, plan.hash, index, step, expected, boundary)
            case Manual():
                _record_manual(incident, plan.hash, index, step)
            case _:
                with _quiet(workspace.root, incident, step):
                    _change(workspace, incident, plan.hash, index, step, expected, boundary)
        boundary(f"outcome:{index}")
        applied = read_applied(incident.journal.entries(), plan.hash)
        if not applied.steps[index].done:
            raise _failed(incident, plan, index, applied.steps[index].said)
    return applied


def _not_consented(plan: Plan) -> ApprovalNeededError:
    return ApprovalNeededError(
        Fault(
            "approval_needed",
            f"Nobody has consented to the plan {plan.hash[:12]} ({plan.title}).",
            "Nothing was changed.",
            plan.command,
        )
    )


def _failed(incident: Incident, plan: Plan, index: int, said: str) -> StepFailedError:
    return StepFailedError(
        Fault(
            "step_failed",
            f"Step {index + 1} of {len(plan.steps)} did not end well: {visible(said, 300)}.",
            "The steps before it stand; everything that was replaced is kept in the incident's folder.",
            f"Look at it: distill incident show {incident.id}. Take it back: distill undo {incident.id}",
        )
    )


def refuse_when_changed(root: Path, plan: Plan, applied: Applied) -> None:
    """Raises PlanVoidError when a file is not as the plan, as far as it got, left or found it."""
    for path, expected in expected_states(plan, applied).items():
        found = files.state_of(root, path)
        if found != expected:
            raise PlanVoidError(
                Fault(
                    "plan_void",
                    f"{path} has changed since the plan was made: {differs(expected, found)}.",
                    "Nothing was changed since the preview."
                    if not applied.steps
                    else "The steps that were done stand; nothing further was changed.",
                    "Make the plan again and look at it again: distill runbook plan, or the wizard.",
                    file=path,
                )
            )
    for step in plan.steps:
        if isinstance(step, RunCommand):
            known = expected_states(plan, applied)
            new = [path for path in present(root, step) if path not in known]
            if new:
                raise PlanVoidError(
                    Fault(
                        "plan_void",
                        f"{new[0]} was not there when the plan was made.",
                        "Nothing further was changed.",
                        "Make the plan again: distill runbook plan, or the wizard.",
                        file=new[0],
                    )
                )


def differs(expected: FileState, found: FileState) -> str:
    """What is different, in a few words."""
    if found.is_absent:
        return "it is gone"
    if expected.is_absent:
        return "it exists now"
    if expected.sha256 != found.sha256:
        return f"its bytes differ ({expected.bytes} bytes then, {found.bytes} now)"
    return f"its mode was {expected.mode or 0:o} and is {found.mode or 0:o}"


@contextlib.contextmanager
def _quiet(root: Path, incident: Incident, step: FileStep) -> Iterator[None]:
    # A rename contains damage; it must not wait for the run that may be doing it.
    if isinstance(step, RenameFile):
        yield
        return
    with hold_workspace(root, f"runbook {incident.id}"):
        yield


def _change(
    workspace: Workspace,
    incident: Incident,
    plan_hash: str,
    index: int,
    step: FileStep,
    expected: States,
    boundary: Boundary,
) -> None:
    root = workspace.root
    before, after = _planned(step, expected)
    data = _content(workspace, incident, step) if isinstance(step, WriteFile) else b""
    digest = before[step.path].sha256
    if digest is not None and not isinstance(step, RenameFile):
        appended = isinstance(step, AppendLine | TruncateFile)
        incident.keep_file(root, step.path, digest, link=not appended)
    folders = tuple(_missing_folders(root, step.path)) if isinstance(step, WriteFile | AppendLine) else ()
    boundary(f"kept:{index}")
    incident.journal.append(
        "intent",
        "applying",
        inputs={path: state.sha256 for path, state in before.items()},
        outputs={path: state.sha256 for path, state in after.items()},
        plan_hash=plan_hash,
        detail={
            "step": index,
            "type": step.type,
            "before": states_as_json(before),
            "after": states_as_json(after),
            "folders": list(folders),
        },
    )
    boundary(f"intent:{index}")
    try:
        _refuse_late_change(root, before)
        _do(root, step, data)
    except (OSError, OperatorError) as error:
        found = {path: files.state_of(root, path) for path in before}
        _outcome(incident, plan_hash, index, before, found, folders, done=False, said=str(error))
        if isinstance(error, OSError):
            raise disk_refused(error, step.path, "The file is as it was.") from error
        raise
    boundary(f"changed:{index}")
    found = {path: files.state_of(root, path) for path in after}
    said = "" if found == after else "the file is not as planned"
    _outcome(incident, plan_hash, index, before, found, folders, done=found == after, said=said)


def _planned(step: FileStep, expected: States) -> tuple[States, States]:
    """The files of a step before and after it."""
    match step:
        case RenameFile():
            state = expected.get(step.path, step.before)
            return {step.path: state, step.to: ABSENT}, {step.path: ABSENT, step.to: state}
        case RemoveFile():
            return {step.path: expected.get(step.path, step.before)}, {step.path: ABSENT}
        case WriteFile() | AppendLine() | TruncateFile():
            return {step.path: expected.get(step.path, step.before)}, {step.path: step.after}
        case _:
            assert_never(step)


def _content(workspace: Workspace, incident: Incident, step: WriteFile) -> bytes:
    match step.content:
        case GitBlob():
            try:
                data = workspace.git.blob(step.content.oid)
            except GitSilentError as error:
                raise _unreadable(step, str(error)) from error
        case Kept():
            data = incident.kept(step.content.sha256)
        case _:
            assert_never(step.content)
    if hashlib.sha256(data).hexdigest() != step.after.sha256:
        raise _unreadable(step, "its bytes are not those of the plan")
    return data


def _unreadable(step: WriteFile, why: str) -> IntegrityError:
    return IntegrityError(
        Fault(
            "content_gone",
            f"The new content of {step.path} cannot be had: {why}.",
            "The file is as it was.",
            "Make the plan again: distill runbook plan, or the wizard.",
            file=step.path,
        )
    )


def _refuse_late_change(root: Path, before: States) -> None:
    for path, expected in before.items():
        found = files.state_of(root, path)
        if found != expected:
            raise PlanVoidError(
                Fault(
                    "plan_void",
                    f"{path} changed in the last moment: {differs(expected, found)}.",
                    "It was left as it is.",
                    "Find out who writes it, then plan again.",
                    file=path,
                )
            )


def _do(root: Path, step: FileStep, data: bytes) -> None:
    match step:
        case WriteFile():
            files.write_bytes(root, step.path, data, step.after.mode or 0o600)
        case RemoveFile():
            files.remove(root, step.path, step.folders)
        case RenameFile():
            files.rename_new(root, step.path, step.to)
        case AppendLine():
            files.append_bytes(root, step.path, step.line.encode() + b"\n")
        case TruncateFile():
            files.truncate(root, step.path, step.after.bytes or 0)
        case _:
            assert_never(step)


def _missing_folders(root: Path, path: str) -> Iterator[str]:
    for folder in reversed(Path(path).parents):
        if folder.parts and not (root / folder).exists():
            yield folder.as_posix()


def _outcome(
    incident: Incident,
    plan_hash: str,
    index: int,
    before: States,
    found: States,
    folders: tuple[str, ...],
    *,
    done: bool,
    said: str = "",
    settled: bool = False,
) -> None:
    incident.journal.append(
        "outcome",
        "applying",
        inputs={path: state.sha256 for path, state in before.items()},
        outputs={path: state.sha256 for path, state in found.items()},
        verdict="done" if done else "not done",
        plan_hash=plan_hash,
        detail={
            "step": index,
            "done": done,
            "settled": settled,
            "said": said,
            "before": states_as_json(before),
            "after": states_as_json(found),
            "folders": list(folders),
        },
    )


def _record_manual(incident: Incident, plan_hash: str, index: int, step: Manual) -> None:
    incident.journal.append(
        "outcome",
        "applying",
        verdict="told",
        plan_hash=plan_hash,
        detail={"step": index, "done": True, "said": step.says, "by_hand": step.by_hand},
    )


def settle(workspace: Workspace, incident: Incident, plan: Plan) -> str | None:
    """Close an open intent by what the files say; returns how it was settled, None without one.

    Done and not done are told by the digests. A file that is neither is a conflict: it is recorded
    as found and StepFailedError is raised, because nobody but a person can know whose bytes it has.
    """
    applied = read_applied(incident.journal.entries(), plan.hash)
    if applied.open_step is None or applied.open_entry is None:
        return None
    index, step = applied.open_step, plan.steps[applied.open_step]
    detail = applied.open_entry.detail
    if isinstance(step, RunCommand):
        return settle_command(workspace, incident, plan.hash, index, step, applied)
    before, after = states_from(detail.get("before")), states_from(detail.get("after"))
    found = {path: files.state_of(workspace.root, path) for path in before}
    named = detail.get("folders")
    made = [str(each) for each in named] if isinstance(named, list) else []
    folders = tuple(each for each in made if (workspace.root / each).is_dir())
    if found == after:
        _outcome(incident, plan.hash, index, before, found, folders, done=True, settled=True)
        return "done"
    if found == before:
        _outcome(
            incident, plan.hash, index, before, found, folders, done=False, settled=True, said="not begun"
        )
        return "not done"
    said = "; ".join(f"{path}: {differs(before[path], found[path])}" for path in before)
    _outcome(incident, plan.hash, index, before, found, folders, done=False, settled=True, said=said)
    raise _failed(incident, plan, index, f"neither as before nor as planned: {said}")
