"""Who sits at this console."""

from __future__ import annotations

import contextlib
import os
import pwd


def actor_name() -> str:
    """The person, also behind sudo; the account where there is no name."""
    with contextlib.suppress(KeyError):
        return os.environ.get("SUDO_USER") or pwd.getpwuid(os.getuid()).pw_name
    return f"uid {os.getuid()}"
