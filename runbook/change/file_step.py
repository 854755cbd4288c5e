"""A plan's step that changes one file: keep, intent, change, outcome.

The original is in the incident's store, and the intent on disk, before a byte moves.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import assert_never

from pipeline.contracts.faults import IntegrityError, OperatorError
from pipeline.platform.disk_faults import storage_fault
from pipeline.platform.git import GitError
from pipeline.platform.lenient_json import texts_of
from pipeline.platform.lock import hold_workspace
from pipeline.reading.journal_damage import before_replaced
from pipeline.reading.journal_memory import Seen
from runbook.change import files
from runbook.change.applied import States, StepAtWork
from runbook.change.incident import Incident
from runbook.change.plan import (
    ABSENT,
    AppendLine,
    FileState,
    FileStep,
    GitBlob,
    Kept,
    RemoveFile,
    RenameFile,
    TruncateFile,
    WriteFile,
)
from runbook.change.refusals import PlanVoidError
from runbook.probes.workspace import Workspace

# In an intent's detail: the journals among its files that were not as audits had read them.
BROKEN = "broken_journals"
_AS_IT_WAS = "The file is as it was."
_UNSYNCED = "The change is in place, whole; a power cut before the disk works again may lose it."


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
def quiet(root: Path, incident: Incident, step: FileStep) -> Iterator[None]:
    """Keep engine runs out while a step is done. Raises WorkspaceLockedError."""
    # A rename contains damage; it must not wait for the run that may be doing it.
    if isinstance(step, RenameFile):
        yield
        return
    do_next = "Wait for it, or watch it: distill console. Quarantine does not need to wait."
    with hold_workspace(root, command=f"runbook {incident.id}", do_next=do_next):
        yield


def change_file(work: StepAtWork, step: FileStep, expected: States) -> None:
    """Keep the original, intent, change, outcome. Raises PlanVoidError, StorageError, IntegrityError."""
    root, incident = work.workspace.root, work.incident
    before, after = _planned(step, expected)
    data = _content(work.workspace, incident, step) if isinstance(step, WriteFile) else b""
    digest = before[step.path].sha256
    if digest is not None and not isinstance(step, RenameFile):
        appended = isinstance(step, AppendLine | TruncateFile)
        incident.keep_file(root, step.path, digest, link=not appended)
    # Whoever puts a journal back says so first, or the next audit would miss what it has read.
    renewed = {path: _seen(state) for path, state in after.items() if not isinstance(step, AppendLine)}
    broken = before_replaced(
        root,
        renewed,
        by=f"incident {incident.id}",
        data=data if isinstance(step, WriteFile) else None,
        was_broken=lambda path, sha256: (path, sha256) in _broken_before(incident),
    )
    folders = list(_missing_folders(root, step.path)) if isinstance(step, WriteFile | AppendLine) else []
    work.intend(step.type, before, after, folders=folders, **({BROKEN: broken} if broken else {}))
    try:
        _refuse_late_change(root, before)
        _do(root, step, data)
    except (OSError, OperatorError) as error:
        found = {path: files.state_of(root, path) for path in before}
        is_done = found == after  # it was the sync behind the change that failed
        work.record(before, found, folders, done=is_done, said=str(error))
        if isinstance(error, OSError):
            raise storage_fault(error, root / step.path, _UNSYNCED if is_done else _AS_IT_WAS) from error
        raise
    work.boundary(f"changed:{work.index}")
    found = {path: files.state_of(root, path) for path in after}
    said = "" if found == after else "the file is not as planned"
    work.record(before, found, folders, done=found == after, said=said)


def _broken_before(incident: Incident) -> set[tuple[str, str | None]]:
    """Path and digest of journals that were replaced while they were not as audits had read them."""
    return {
        (path, entry.inputs.get(path))
        for entry in incident.journal.entries()
        for path in texts_of(entry.detail, BROKEN)
    }


def _seen(state: FileState) -> Seen | None:
    return None if state.sha256 is None else Seen(state.bytes or 0, state.sha256)


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
            except GitError as error:
                raise _unreadable(step, str(error)) from error
        case Kept():
            data = incident.kept(step.content.sha256)
        case _:
            assert_never(step.content)
    if hashlib.sha256(data).hexdigest() != step.after.sha256:
        raise _unreadable(step, "its bytes are not those of the plan")
    return data


def _unreadable(step: WriteFile, why: str) -> IntegrityError:
    return IntegrityError.of(
        "content_gone",
        f"The new content of {step.path} cannot be had: {why}.",
        "The file is as it was.",
        "Make the plan again: distill runbook plan, or the wizard.",
        file=step.path,
    )


def _refuse_late_change(root: Path, before: States) -> None:
    for path, expected in before.items():
        found = files.state_of(root, path)
        if found != expected:
            raise PlanVoidError.of(
                "plan_void",
                f"{path} changed in the last moment: {differs(expected, found)}.",
                "It was left as it is.",
                "Find out who writes it, then plan again.",
                file=path,
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
