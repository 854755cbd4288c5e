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

from pipeline.contracts.faults import Fault, InputError
from pipeline.contracts.status import LockStatus
from pipeline.platform.identity import host_name
from pipeline.reading.lock_facts import read_lock

# The lock's time has whole seconds and a process's start is counted in clock ticks.
START_SLACK_SECONDS = 2.0


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
        started = process_start(lock.pid)
        again = read_lock(root, time.time())
        same = again.held and again.pid == lock.pid and again.pipeline_run_id == pipeline_run_id
        young = started is not None and lock.since is not None and started > lock.since + START_SLACK_SECONDS
        if not same or young:
            raise _refused("not_the_holder", f"Process {lock.pid} is not the one that took the lock.")
        signal.pidfd_send_signal(pinned, signal.SIGTERM)
    except PermissionError as error:
        raise _refused("not_permitted", f"Process {lock.pid} belongs to {lock.user}.") from error
    except ProcessLookupError as error:
        raise _refused("no_run_to_cancel", "The run has ended in this moment.") from error
    finally:
        os.close(pinned)
    return lock


def process_start(pid: int) -> float | None:
    """When a process started, in seconds since the epoch; None where ``/proc`` does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = next(
            int(line.split()[1])
            for line in Path("/proc/stat").read_text().splitlines()
            if line.startswith("btime ")
        )
        return boot + int(fields[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, StopIteration):
        return None


def _refused(code: str, what: str) -> InputError:
    return InputError(
        Fault(code, what, "No signal was sent; no run was touched.", "Look again: distill status")
    )
