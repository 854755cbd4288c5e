"""Hold the workspace's run lock while files are changed, so that no engine reads half of a repair.

The same advisory lock as the engine's: ``flock`` on ``.distill/lock``, whose line names the holder.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from pipeline.contracts import paths
from pipeline.contracts.faults import Fault, WorkspaceLockedError
from runbook.change.files import parent_of
from runbook.probes.actor import actor_name, host_name
from runbook.wizard.refusals import disk_refused

# Whoever asks whether the lock is held holds it shared for an instant.
_ATTEMPTS = 10
_ATTEMPT_SECONDS = 0.02


@contextlib.contextmanager
def hold_workspace(root: Path, command: str) -> Iterator[None]:
    """Keep engine runs out for the block. Raises WorkspaceLockedError while one is at work."""
    path = root / paths.LOCK
    try:
        with parent_of(root, str(paths.LOCK), make=[]) as (folder, name):
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(name, flags, 0o600, dir_fd=folder)
    except OSError as error:
        raise disk_refused(error, str(path), "Nothing was changed.") from error
    try:
        _take(descriptor, path)
        holder = {
            "pid": os.getpid(),
            "host": host_name(),
            "user": actor_name(),
            "command": command,
            "pipeline_run_id": "",
            "since": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "argv": [],
        }
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(holder).encode() + b"\n", 0)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path) -> None:
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_ATTEMPT_SECONDS)
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
    raise WorkspaceLockedError(
        Fault(
            "workspace_locked",
            f"A run holds the workspace: {_holder(descriptor)}.",
            "Nothing was changed; that run goes on.",
            "Wait for it, or watch it: distill console. Quarantine does not need to wait.",
            file=str(path),
        )
    )


def _holder(descriptor: int) -> str:
    try:
        said = json.loads(os.pread(descriptor, 4096, 0))
        return f"{said['command']} (pid {said['pid']}, {said['user']} on {said['host']})"
    except (ValueError, KeyError, TypeError):
        return "it does not say which"
