"""Staged files appear all or nothing.

Order: every staged file is synced, then the **intent** file names all renames and their digests
(the one commit point), then the renames, the run's summary last, then the intent goes. A disk
that refuses half-way is answered by undoing at once what was done; whoever holds the lock
after a crash finds the open intent and rolls it forward, or back when a staged file is gone.
The originals are kept by hard link until the intent is closed.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.contracts import paths
from pipeline.contracts.faults import StorageError
from pipeline.engine import run_state
from pipeline.engine.commit_points import reached
from pipeline.engine.intent import Intent, Rename, encode_intent, read_intent
from pipeline.platform import confined, disk, disk_faults
from pipeline.platform.confined import refuse_links
from pipeline.storage.digests import sha256_of_file

_KEPT = "The last outputs are in place and verified; finished chunks are kept."
_LEFT_OPEN = "The commit stays open: the next run finishes or undoes it before anything else."


def staging_folder(workspace: Path, pipeline_run_id: str) -> Path:
    return workspace / paths.STAGING / pipeline_run_id


def commit(workspace: Path, pipeline_run_id: str, renames: Sequence[Rename]) -> Intent:
    """Put every staged file in place. Raises StorageError, with the last outputs back in place.

    A disk that refuses the undoing as well leaves the intent open; the next run settles it.
    Close the intent that is returned.
    """
    intent = Intent(
        pipeline_run_id,
        tuple(replace(rename, replaces=(workspace / rename.target).exists()) for rename in renames),
    )
    refuse_links(workspace, intent.places())
    try:
        staged_folders = [(workspace / rename.staged).parent for rename in renames]
        disk.sync_folders(staged_folders, workspace / paths.STATE)
        confined.write_file(workspace, paths.INTENT, encode_intent(intent))
        reached("intent-written")
        _keep_originals(workspace, intent)
        reached("originals-linked")
        _rename_all(workspace, intent)
        reached("outputs-renamed")
    except (OSError, StorageError) as error:
        kept = _KEPT if _undo(workspace, intent) else _LEFT_OPEN
        if isinstance(error, StorageError):
            raise StorageError(replace(error.fault, kept_safe=kept)) from error
        raise disk_faults.storage_fault(error, workspace / paths.INTENT, kept) from error
    return intent


def close_intent(workspace: Path, intent: Intent) -> None:
    """Forget the intent and the originals: the run is whole.

    Raises StorageError. An intent that cannot be removed is undone; once it is gone the new
    outputs stand, all of them.
    """
    path = workspace / paths.INTENT
    try:
        disk.operations.unlink(path)
    except OSError as error:
        kept = _KEPT if _undo(workspace, intent) else _LEFT_OPEN
        raise disk_faults.storage_fault(error, path, kept) from error
    try:
        disk.sync_folder(path.parent)
    except OSError as error:
        raise disk_faults.storage_fault(error, path, "The new outputs are in place, all of them.") from error
    reached("intent-removed")
    discard_staging(workspace, intent.pipeline_run_id)


def discard_staging(workspace: Path, pipeline_run_id: str) -> None:
    """Remove what a run staged. What cannot be removed is harmless: nothing refers to it."""
    shutil.rmtree(staging_folder(workspace, pipeline_run_id), ignore_errors=True)


def discard_unfinished(workspace: Path, pipeline_run_id: str) -> None:
    """Remove what a failed run staged, unless its commit is under way: that must be settled."""
    if not (workspace / paths.INTENT).exists():
        discard_staging(workspace, pipeline_run_id)


def settle(workspace: Path) -> str | None:
    """Finish or undo a commit that a crash left open; call it with the lock held.

    Returns a sentence for the log, or None when nothing was open. What dead runs left staged
    is removed. Raises IntegrityError for an intent that no run wrote, and StorageError.
    """
    try:
        intent = read_intent(workspace)
        if intent is None:
            _clear_leftovers(workspace)
            return None
        refuse_links(workspace, intent.places())
        forward = all(_can_go_forward(workspace, rename) for rename in intent.renames)
        if forward:
            _keep_originals(workspace, intent)
            _rename_all(workspace, intent)
        else:
            _roll_back(workspace, intent)
    except OSError as error:
        raise disk_faults.storage_fault(
            error, workspace / paths.INTENT, "Nothing more was changed; the intent stays open."
        ) from error
    _remember(workspace, intent.pipeline_run_id, forward=forward)
    close_intent(workspace, intent)
    _clear_leftovers(workspace)
    if forward:
        return f"rolled forward the interrupted commit of run {intent.pipeline_run_id}"
    return f"rolled back the interrupted commit of run {intent.pipeline_run_id}: a staged file was gone"


def _remember(workspace: Path, pipeline_run_id: str, *, forward: bool) -> None:
    """Keep the remembered state true to which run's outputs stand now."""
    is_of_this_run = run_state.load(workspace).pipeline_run_id == pipeline_run_id
    if forward and not is_of_this_run:
        # Which outputs it wrote is not known here, but that it is the newest run is: folder
        # names follow a clock, and clocks jump.
        run_state.save(workspace, run_state.RunState(pipeline_run_id=pipeline_run_id))
    elif is_of_this_run and not forward:
        run_state.forget(workspace)


def _keep_originals(workspace: Path, intent: Intent) -> None:
    for rename in intent.renames:
        target = workspace / rename.target
        kept = workspace / intent.original(rename.target)
        if not (workspace / rename.staged).exists() or kept.exists() or not target.exists():
            continue
        disk.make_folder(kept.parent)
        disk.operations.link(target, kept)


def _rename_all(workspace: Path, intent: Intent) -> None:
    folders = []
    for rename in intent.renames:
        staged, target = workspace / rename.staged, workspace / rename.target
        if not staged.exists():
            continue
        disk.make_folder(target.parent)
        disk.operations.replace(staged, target)
        reached("output-renamed")
        folders.append(target.parent)
    disk.sync_folders(folders, workspace)


def _can_go_forward(workspace: Path, rename: Rename) -> bool:
    for place in (workspace / rename.staged, workspace / rename.target):
        with contextlib.suppress(FileNotFoundError):
            if sha256_of_file(place) == rename.sha256:
                return True
    return False


def _undo(workspace: Path, intent: Intent) -> bool:
    """Take a commit back in the run that failed; whether the disk let it."""
    try:
        _roll_back(workspace, intent)
        _remember(workspace, intent.pipeline_run_id, forward=False)
        disk.operations.unlink(workspace / paths.INTENT)
        disk.sync_folder(workspace / paths.STATE)
    except (OSError, StorageError):
        return False
    return True


def _roll_back(workspace: Path, intent: Intent) -> None:
    """Put the originals back. Killed half-way it can be done again: the kept links stay."""
    folders = []
    for rename in intent.renames:
        target = workspace / rename.target
        kept = workspace / intent.original(rename.target)
        if kept.exists():
            if target.exists() and target.samefile(kept):
                continue  # not renamed yet, and perhaps in a folder that refuses changes
            again = kept.with_name(f"{kept.name}.again")
            disk.discard(again)
            disk.operations.link(kept, again)
            disk.operations.replace(again, target)
        elif not rename.replaces and not (workspace / rename.staged).exists() and _is(target, rename.sha256):
            disk.operations.unlink(target)
        else:
            continue
        folders.append(target.parent)
    disk.sync_folders(folders, workspace)


def _is(path: Path, sha256: str) -> bool:
    return path.exists() and sha256_of_file(path) == sha256


def _clear_leftovers(workspace: Path) -> None:
    """Remove what dead runs left that nothing refers to. The lock is held: no run lives."""
    for folder in (paths.STAGING, paths.SPOOL):
        shutil.rmtree(workspace / folder, ignore_errors=True)
    for temporary in (workspace / paths.STATE).glob(".*.tmp"):
        disk.discard(temporary)
