"""Who acts, and where: one answer for locks, leases, journals, events and screens."""

from __future__ import annotations

import os
import pwd
import socket
from dataclasses import dataclass

from pipeline.contracts.untrusted import visible

_LONGEST_NAME = 80


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
