"""Ask the run that holds the workspace to stop at its next safe point.

A process id is reused, so that a signal goes only to the process that the *held* lock names,
on this host, and only if that process is older than the lock's entry. The process is pinned
by a descriptor before it is looked at: what was verified is what is signalled.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from pipeline.contracts.faults import InputError
from pipeline.contracts.status import LockStatus
from pipeline.platform.identity import host_name, is_running
from pipeline.reading.lock_facts import read_lock


def cancel_run(root: Path, pipeline_run_id: str) -> LockStatus:
    """Send SIGTERM to the run. Raises InputError, naming why, when it must not be sent."""
    lock = read_lock(root, time.time())
    if not lock.held or lock.pid is None:
        raise _refused("no_run_to_cancel", "No run holds the workspace; it has ended already.")
    if lock.pipeline_run_id != pipeline_run_id:
        raise _refused("another_run", f"The workspace is held by another run now: {lock.pipeline_run_id}.")
    if lock.host != host_name():
        raise _refused("run_elsewhere", f"The run works on {lock.host}, where this console cannot signal it.")
    try:
        pinned = os.pidfd_open(lock.pid)
    except OSError as error:
        raise _refused(
            "no_such_process", f"Process {lock.pid} cannot be reached: {error.strerror}."
        ) from error
    try:
        again = read_lock(root, time.time())
        same = again.held and again.pid == lock.pid and again.pipeline_run_id == pipeline_run_id
        if not same or not is_running(lock.pid, lock.since):
            raise _refused("not_the_holder", f"Process {lock.pid} is not the one that took the lock.")
        signal.pidfd_send_signal(pinned, signal.SIGTERM)
    except PermissionError as error:
        raise _refused("not_permitted", f"Process {lock.pid} belongs to {lock.user}.") from error
    except ProcessLookupError as error:
        raise _refused("no_run_to_cancel", "The run has ended in this moment.") from error
    finally:
        os.close(pinned)
    return lock


def _refused(code: str, what: str) -> InputError:
    return InputError.of(code, what, "No signal was sent; no run was touched.", "Look again: distill status")
