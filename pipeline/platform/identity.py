"""Who acts, where, and whether they still do: for locks, leases, journals, events and screens."""

from __future__ import annotations

import os
import pwd
import socket
from dataclasses import dataclass
from pathlib import Path

from pipeline.contracts.untrusted import visible

_LONGEST_NAME = 80
# What a process writes of its time has whole seconds; its start is counted in clock ticks.
_START_SLACK_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Identity:
    """A process and the person behind it."""

    user: str
    host: str
    pid: int


def who_acts() -> Identity:
    return Identity(user_name(), host_name(), os.getpid())


def user_name() -> str:
    """The person: ``maria``; behind sudo ``maria (as root)``, the person with the account taken on.

    The account is the process's own, told by the kernel: ``USER`` and ``LOGNAME`` may say anything.
    """
    account = _account_of(os.getuid())
    behind = visible(os.environ.get("SUDO_USER", ""), _LONGEST_NAME)
    return f"{behind} (as {account})" if behind and behind != account else account


def _account_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def host_name() -> str:
    return socket.gethostname()


def is_running(pid: int, since: float | None) -> bool:
    """Whether the process of this machine that had ``pid`` at ``since`` still runs: numbers are reused."""
    began = _process_start(pid)
    if began is not None:
        return since is None or began <= since + _START_SLACK_SECONDS
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _process_start(pid: int) -> float | None:
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
