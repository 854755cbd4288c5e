"""Who acts, and where: written into every line of a journal."""

from __future__ import annotations

import getpass
import os
import socket


def actor_name() -> str:
    """The operator; behind sudo the person, with the account that was taken on."""
    try:
        account = getpass.getuser()
    except (KeyError, OSError):
        account = str(os.getuid())
    behind = os.environ.get("SUDO_USER")
    return f"{behind} (as {account})" if behind and behind != account else account


def host_name() -> str:
    return socket.gethostname()
