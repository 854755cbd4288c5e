"""Start engine commands detached, and ask the run that holds the workspace to stop at its next safe point.

A job has a session of its own: losing the console, its terminal or its machine's network touches none. What
the job narrates lies in ``.distill/jobs/<id>.log``, its events in ``<id>.events.jsonl`` beside it; both are
readable by their owner alone, because narration may quote data.

A process id is reused, so that a signal goes only to the process that the *held* lock names, on this host,
and only if that process is older than the lock's entry. The process is pinned by a descriptor before it is
looked at: what was verified is what is signalled.
"""

from __future__ import annotations

import os
import secrets
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline.contracts import paths
from pipeline.contracts.discovery import engine_argv
from pipeline.contracts.faults import InputError, StorageError, engine_not_started
from pipeline.contracts.shell_words import joined
from pipeline.contracts.status import LockStatus
from pipeline.contracts.untrusted import visible_lines
from pipeline.platform import confined, disk, disk_faults
from pipeline.platform.detached import Detached, start_detached
from pipeline.platform.engine_choice import engine_to_change
from pipeline.platform.identity import host_name, is_running
from pipeline.reading.lock_facts import read_lock

JOBS_KEPT = 50
TAIL_BYTES = 16 * 1024
TAIL_LINES = 12
_NEW_LOG = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Job:
    """A command that was started here. ``poll`` is its exit code, None while it runs."""

    id: str
    command: str
    argv: tuple[str, ...]
    log: Path
    events: Path
    started: float
    process: Detached

    @property
    def pid(self) -> int:
        return self.process.pid

    def poll(self) -> int | None:
        return self.process.poll()

    def stderr_tail(self) -> tuple[str, ...]:
        """The last lines that it wrote, hidden characters shown."""
        return tail_lines(self.log)


def job_argv(root: Path, arguments: Sequence[str], events: Path | None = None) -> list[str]:
    """The whole argv of an engine command on ``root``, e.g. for a preview of what would run."""
    name, *options = arguments
    where = ["-C", str(root)]
    where += ["--events", str(events)] if events is not None else []
    return engine_argv([name, *where, *options])


def start_job(root: Path, arguments: Sequence[str], *, now: float | None = None) -> Job:
    """Start ``arguments`` (``["run-all"]``) detached. Raises StorageError, EngineUnavailableError,
    and SettingsError or TrustNeededError when the workspace asks for an engine that may not run."""
    environment = engine_to_change(root).environment()
    started = time.time() if now is None else now
    folder = root / paths.JOBS
    name = f"{datetime.fromtimestamp(started, UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
    log, events = folder / f"{name}.log", folder / f"{name}.events.jsonl"
    argv = job_argv(root, arguments, events)
    try:
        with confined.folder_of(root, log.relative_to(root), make=[]) as (jobs, log_name):
            _prune(folder)
            output = os.open(log_name, _NEW_LOG, disk.FILE_MODE, dir_fd=jobs)
    except OSError as error:
        place = error.place if isinstance(error, disk_faults.NotPlainError) else log
        raise StorageError.of(
            "job_log_refused",
            f"The job's log could not be made: {place}: {error.strerror}.",
            "Nothing was started.",
            f"Make room or give permission there, or run it here: {joined(['distill', *arguments])}",
            file=str(log),
        ) from error
    try:
        process = start_detached(argv, output=output, cwd=root, env=environment)
    except OSError as error:
        raise engine_not_started(argv[0], error) from error
    finally:
        os.close(output)
    return Job(name, arguments[0], tuple(argv), log, events, started, process)


def tail_lines(path: Path, limit: int = TAIL_LINES) -> tuple[str, ...]:
    """The last non-empty lines of a text file, made visible. Nothing when it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ()
    try:
        size = os.fstat(descriptor).st_size
        data = os.pread(descriptor, TAIL_BYTES, max(0, size - TAIL_BYTES))
    except OSError:
        return ()
    finally:
        os.close(descriptor)
    lines = [line for line in visible_lines(data.decode(errors="replace")) if line.strip()]
    return tuple(lines[-limit:])


def _prune(folder: Path) -> None:
    """Drop the oldest job files, so that a nightly job does not fill the disk in ten years."""
    logs = sorted(folder.glob("*.log"))
    for log in logs[: -(JOBS_KEPT - 1)]:
        log.unlink(missing_ok=True)
        (folder / f"{log.stem}.events.jsonl").unlink(missing_ok=True)


def cancel_run(root: Path, pipeline_run_id: str) -> LockStatus:
    """Send SIGTERM to the run. Raises InputError, naming why, when it must not be sent."""
    lock = read_lock(root, time.time())
    if not lock.held or lock.pid is None:
        raise _not_sent("no_run_to_cancel", "No run holds the workspace; it has ended already.")
    if lock.pipeline_run_id != pipeline_run_id:
        raise _not_sent("another_run", f"The workspace is held by another run now: {lock.pipeline_run_id}.")
    if lock.host != host_name():
        raise _not_sent(
            "run_elsewhere", f"The run works on {lock.host}, where this console cannot signal it."
        )
    try:
        pinned = os.pidfd_open(lock.pid)
    except OSError as error:
        raise _not_sent(
            "no_such_process", f"Process {lock.pid} cannot be reached: {error.strerror}."
        ) from error
    try:
        again = read_lock(root, time.time())
        same = again.held and again.pid == lock.pid and again.pipeline_run_id == pipeline_run_id
        if not same or not is_running(lock.pid, lock.since):
            raise _not_sent("not_the_holder", f"Process {lock.pid} is not the one that took the lock.")
        signal.pidfd_send_signal(pinned, signal.SIGTERM)
    except PermissionError as error:
        raise _not_sent("not_permitted", f"Process {lock.pid} belongs to {lock.user}.") from error
    except ProcessLookupError as error:
        raise _not_sent("no_run_to_cancel", "The run has just ended.") from error
    finally:
        os.close(pinned)
    return lock


def _not_sent(code: str, what: str) -> InputError:
    return InputError.of(code, what, "No signal was sent; no run was touched.", "Look again: distill status")
