"""Hold the workspace still while it is audited: auditors share it, a run has to wait.

A commit that a crash left open is settled first, as by any engine command.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.contracts import paths
from pipeline.contracts.faults import Fault, WorkspaceLockedError
from pipeline.engine import commit, run_lock
from pipeline.engine.clock import now_iso
from pipeline.storage import disk


@contextlib.contextmanager
def shared_view(workspace: Path, argv: Sequence[str]) -> Iterator[str | None]:
    """For the block, no run changes the workspace; yields a sentence when a commit was settled.

    Raises WorkspaceLockedError when a run is under way, IntegrityError, StorageError.
    """
    settled = None
    if (workspace / paths.INTENT).exists():
        with run_lock.hold(workspace, command="audit-full", pipeline_run_id="", argv=argv):
            settled = commit.settle(workspace)
    path = workspace / paths.LOCK
    disk.make_folder(path.parent)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, disk.FILE_MODE)
    except OSError as error:
        raise disk.storage_fault(error, path, "Nothing was changed.") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as error:
            raise _locked(workspace) from error
        # A run that finds the lock shared names us; of several auditors, the last to come.
        run_lock.RunLock(descriptor).describe(
            {
                "pid": os.getpid(),
                "host": socket.gethostname(),
                "user": run_lock.user_name(),
                "command": "audit-full",
                "pipeline_run_id": "",
                "since": now_iso(),
                "argv": list(argv),
            }
        )
        yield settled
    finally:
        os.close(descriptor)


def _locked(workspace: Path) -> WorkspaceLockedError:
    holder = run_lock.read_holder(workspace) or {}
    pid, user, host = (holder.get(name, "?") for name in ("pid", "user", "host"))
    who = f"{holder.get('command', 'a run')} (pid {pid}, {user} on {host})"
    return WorkspaceLockedError(
        Fault(
            code="workspace_locked",
            what_happened=f"{who} is at work since {holder.get('since', 'an unknown time')}: what it "
            "writes cannot be audited while it changes.",
            kept_safe="Nothing was read or changed; that run goes on.",
            do_next="Wait for it, or watch it: distill console. Then again: distill audit-full",
            file=str(workspace / paths.LOCK),
        )
    )
