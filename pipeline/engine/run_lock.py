"""One run at a time per workspace.

The lock is an advisory ``flock`` on ``.distill/lock``; the line in the file only *names* the
holder. A dead holder is recognised by the lock, which the kernel releases, never by the word.
"""

from __future__ import annotations

import contextlib
import fcntl
import getpass
import os
import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from pipeline.contracts import paths
from pipeline.contracts.faults import Fault, WorkspaceLockedError
from pipeline.engine.clock import now_iso
from pipeline.storage import disk
from pipeline.storage.confined import refuse_links

_ATTEMPTS = 25
_ATTEMPT_SECONDS = 0.02


def user_name() -> str:
    """The operator's name; the person behind sudo where there is one."""
    behind_sudo = os.environ.get("SUDO_USER")
    if behind_sudo:
        return behind_sudo
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def read_holder(workspace: Path) -> dict[str, Any] | None:
    """What the lock file says about its holder; None when it says nothing readable."""
    try:
        value = orjson.loads((workspace / paths.LOCK).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None
    return value if isinstance(value, dict) else None


class RunLock:
    """The held lock. Workers that were forked give their copy back with ``forget``."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def forget(self) -> None:
        """Close this process's copy. The lock lives on in the process that took it."""
        with contextlib.suppress(OSError):
            os.close(self._descriptor)

    def describe(self, holder: dict[str, Any]) -> None:
        """Write who holds the lock, for people who find it held. Raises OSError."""
        os.ftruncate(self._descriptor, 0)
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        disk.write_all(self._descriptor, orjson.dumps(holder) + b"\n")


@contextlib.contextmanager
def hold(workspace: Path, *, command: str, pipeline_run_id: str, argv: Sequence[str]) -> Iterator[RunLock]:
    """Hold the workspace for the block. Raises WorkspaceLockedError, naming the holder."""
    path = workspace / paths.LOCK
    refuse_links(workspace, [paths.LOCK])
    disk.make_folder(path.parent)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, disk.FILE_MODE)
    except OSError as error:
        raise disk.storage_fault(error, path, "Nothing was changed.") from error
    lock = RunLock(descriptor)
    try:
        try:
            _take(descriptor)
            lock.describe(
                {
                    "pid": os.getpid(),
                    "host": socket.gethostname(),
                    "user": user_name(),
                    "command": command,
                    "pipeline_run_id": pipeline_run_id,
                    "since": now_iso(),
                    "argv": list(argv),
                }
            )
        except BlockingIOError as error:
            raise _locked(workspace) from error
        except OSError as error:
            raise disk.storage_fault(error, path, "Nothing was changed.") from error
        yield lock
    finally:
        with contextlib.suppress(OSError):
            os.close(descriptor)


def _take(descriptor: int) -> None:
    """Take the lock. Raises BlockingIOError when a run holds it.

    Whoever asks ``is_held`` holds it shared for an instant, so one refusal is not yet an answer.
    """
    for _ in range(_ATTEMPTS):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_ATTEMPT_SECONDS)
        else:
            return
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_held(workspace: Path) -> bool:
    """Whether a live process holds the workspace."""
    try:
        descriptor = os.open(workspace / paths.LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


def _locked(workspace: Path) -> WorkspaceLockedError:
    holder = read_holder(workspace) or {}
    pid, user, host = (holder.get(name, "?") for name in ("pid", "user", "host"))
    who = f"{holder.get('command', 'a run')} (pid {pid}, {user} on {host})"
    return WorkspaceLockedError(
        Fault(
            code="workspace_locked",
            what_happened=f"The workspace is held by {who} since {holder.get('since', 'an unknown time')}.",
            kept_safe="Nothing was changed; that run goes on.",
            do_next="Wait for it, or watch it: distill console",
            file=str(workspace / paths.LOCK),
        )
    )
