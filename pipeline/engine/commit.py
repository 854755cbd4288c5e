"""Staged files appear all or nothing.

Order: every staged file is synced, then the **intent** file names all renames and their digests
(the one commit point), then the renames, the run's summary last, then the intent goes. Whoever
holds the lock next finds an open intent and rolls it forward, or back when a staged file is
gone: the originals are kept by hard link until the intent is closed.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from pipeline.contracts import paths
from pipeline.contracts.faults import Fault, IntegrityError
from pipeline.engine.commit_points import reached
from pipeline.storage import disk
from pipeline.storage.digests import sha256_of_file

_KEPT = "The last outputs are in place and verified; finished chunks are kept."


@dataclass(frozen=True)
class Rename:
    """A staged file and where it goes, both relative to the workspace."""

    staged: str
    target: str
    sha256: str


def staging_folder(workspace: Path, pipeline_run_id: str) -> Path:
    return workspace / paths.STAGING / pipeline_run_id


def commit(workspace: Path, pipeline_run_id: str, renames: Sequence[Rename]) -> None:
    """Put every staged file in place. Raises StorageError; the next command settles what is open."""
    try:
        for folder in {(workspace / rename.staged).parent for rename in renames}:
            disk.sync_folder(folder)
        disk.write_file(workspace / paths.INTENT, _encode(pipeline_run_id, renames))
        reached("intent-written")
        _keep_originals(workspace, pipeline_run_id, renames)
        reached("originals-linked")
        _rename_all(workspace, renames)
        reached("outputs-renamed")
    except OSError as error:
        raise disk.storage_fault(error, workspace / paths.INTENT, _KEPT) from error


def close_intent(workspace: Path, pipeline_run_id: str) -> None:
    """Forget the intent and the originals: the run is whole."""
    try:
        (workspace / paths.INTENT).unlink(missing_ok=True)
        disk.sync_folder(workspace / paths.STATE)
    except OSError as error:
        raise disk.storage_fault(error, workspace / paths.INTENT, _KEPT) from error
    reached("intent-removed")
    discard_staging(workspace, pipeline_run_id)


def discard_staging(workspace: Path, pipeline_run_id: str) -> None:
    """Remove what a run staged. What cannot be removed is harmless: nothing refers to it."""
    shutil.rmtree(staging_folder(workspace, pipeline_run_id), ignore_errors=True)


def discard_unfinished(workspace: Path, pipeline_run_id: str) -> None:
    """Remove what a failed run staged, unless its commit is under way: that must be settled."""
    if not (workspace / paths.INTENT).exists():
        discard_staging(workspace, pipeline_run_id)


def settle(workspace: Path) -> str | None:
    """Finish or undo a commit that a crash left open; call it with the lock held.

    Returns a sentence for the log, or None when nothing was open. Staged files of dead runs
    are removed. Raises IntegrityError when neither way is possible.
    """
    intent_path = workspace / paths.INTENT
    try:
        data = intent_path.read_bytes()
    except FileNotFoundError:
        _clear_stale_staging(workspace)
        return None
    try:
        intent = orjson.loads(data)
        pipeline_run_id = str(intent["pipeline_run_id"])
        renames = [Rename(**rename) for rename in intent["renames"]]
    except (ValueError, KeyError, TypeError) as error:
        raise _unsettled(intent_path, f"it cannot be read ({error})") from error
    try:
        if all(_can_go_forward(workspace, rename) for rename in renames):
            _keep_originals(workspace, pipeline_run_id, renames)
            _rename_all(workspace, renames)
            outcome = f"rolled forward the interrupted commit of run {pipeline_run_id}"
        else:
            _roll_back(workspace, pipeline_run_id, renames)
            outcome = f"rolled back the interrupted commit of run {pipeline_run_id}: a staged file was gone"
    except OSError as error:
        raise disk.storage_fault(
            error, intent_path, "Nothing more was changed; the intent stays open."
        ) from error
    # Outputs changed without the run that would have recorded them.
    (workspace / paths.RUN_STATE).unlink(missing_ok=True)
    close_intent(workspace, pipeline_run_id)
    _clear_stale_staging(workspace)
    return outcome


def _encode(pipeline_run_id: str, renames: Sequence[Rename]) -> bytes:
    return orjson.dumps(
        {
            "schema_version": 1,
            "pipeline_run_id": pipeline_run_id,
            "renames": [
                {"staged": rename.staged, "target": rename.target, "sha256": rename.sha256}
                for rename in renames
            ],
        },
        option=orjson.OPT_INDENT_2,
    )


def _original(workspace: Path, pipeline_run_id: str, target: str) -> Path:
    return staging_folder(workspace, pipeline_run_id) / "originals" / target


def _keep_originals(workspace: Path, pipeline_run_id: str, renames: Sequence[Rename]) -> None:
    for rename in renames:
        target = workspace / rename.target
        kept = _original(workspace, pipeline_run_id, rename.target)
        if not (workspace / rename.staged).exists() or kept.exists() or not target.exists():
            continue
        disk.make_folder(kept.parent)
        disk.operations.link(target, kept)


def _rename_all(workspace: Path, renames: Sequence[Rename]) -> None:
    folders = []
    for rename in renames:
        staged, target = workspace / rename.staged, workspace / rename.target
        if not staged.exists():
            continue
        disk.make_folder(target.parent)
        disk.operations.replace(staged, target)
        reached("output-renamed")
        if target.parent not in folders:
            folders.append(target.parent)
    for folder in folders:
        disk.sync_folder(folder)


def _can_go_forward(workspace: Path, rename: Rename) -> bool:
    for place in (workspace / rename.staged, workspace / rename.target):
        with contextlib.suppress(FileNotFoundError):
            if sha256_of_file(place) == rename.sha256:
                return True
    return False


def _roll_back(workspace: Path, pipeline_run_id: str, renames: Sequence[Rename]) -> None:
    for rename in renames:
        target = workspace / rename.target
        kept = _original(workspace, pipeline_run_id, rename.target)
        if kept.exists():
            disk.operations.replace(kept, target)
        elif not (workspace / rename.staged).exists() and target.exists() and _is(target, rename.sha256):
            # Put there by the interrupted commit, where nothing had been.
            target.unlink()


def _is(path: Path, sha256: str) -> bool:
    return sha256_of_file(path) == sha256


def _clear_stale_staging(workspace: Path) -> None:
    for folder in (paths.STAGING, paths.SPOOL):
        shutil.rmtree(workspace / folder, ignore_errors=True)


def _unsettled(path: Path, why: str) -> IntegrityError:
    return IntegrityError(
        Fault(
            code="intent_unsettled",
            what_happened=f"The interrupted commit in {path} cannot be settled: {why}.",
            kept_safe="Nothing was changed. The staged files and the originals are under .distill/staging.",
            do_next=f"Move {path} aside, then build the outputs again: distill run-all --no-cache",
            file=str(path),
        )
    )
