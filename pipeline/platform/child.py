"""A process of ours, from its start to its end: what can be asked of the system about it."""

from __future__ import annotations

import contextlib
import os
import selectors
import time
from collections.abc import Iterator
from typing import IO, Protocol

LOOK_WITHOUT_PIDFD_SECONDS = 0.02


class Process(Protocol):
    """What is asked of the system's process: that of a ``subprocess.Popen``."""

    pid: int
    returncode: int | None

    @property
    def stdin(self) -> IO[bytes] | None: ...
    @property
    def stdout(self) -> IO[bytes] | None: ...
    @property
    def stderr(self) -> IO[bytes] | None: ...


@contextlib.contextmanager
def pidfd(pid: int) -> Iterator[int | None]:
    """A descriptor that becomes readable at the end of ``pid``; None where there is none to be had."""
    try:
        descriptor = os.pidfd_open(pid)
    except (AttributeError, OSError):
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def ends_within(pid: int, seconds: float) -> bool:
    """Whether a child of ours ends before the time is up; its exit code is not taken."""
    with pidfd(pid) as end, selectors.PollSelector() as ready:
        if end is None:
            return await_end(pid, seconds)
        ready.register(end, selectors.EVENT_READ)
        return bool(ready.select(seconds))


def is_over(pid: int) -> bool:
    """Whether it has ended, without taking its exit code."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def await_end(pid: int, seconds: float) -> bool:
    """Whether it has ended before the time is up, without taking its exit code."""
    until = time.monotonic() + seconds
    pause = 0.001
    while not (ended := is_over(pid)) and time.monotonic() < until:
        time.sleep(pause)
        pause = min(2 * pause, LOOK_WITHOUT_PIDFD_SECONDS)
    return ended
