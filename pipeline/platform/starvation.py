"""Whether the machine refused what every program needs: descriptors, memory, processes.

Who is starved has seen nothing: it is no bug, no finding, and no sign of health. A program that we
started tells it by its last words alone.
"""

from __future__ import annotations

import errno
import os

from pipeline.contracts.faults import Fault
from pipeline.contracts.untrusted import visible
from pipeline.platform.disk_faults import with_its_causes

_REFUSALS = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN)
_WORDS = (*map(os.strerror, _REFUSALS), MemoryError.__name__, "can't start new thread")


def starved_of(error: BaseException) -> str:
    """One line for what was refused; empty where that is not what happened.

    What an error was raised for counts too (``with_its_causes``).
    """
    for met in with_its_causes(error):
        if isinstance(met, MemoryError):
            return os.strerror(errno.ENOMEM)
        if isinstance(met, OSError) and met.errno in _REFUSALS:
            return os.strerror(met.errno)
        if isinstance(met, (ImportError, RuntimeError)) and is_starved_in_words(str(met)):
            return str(met)
    return ""


def starved_fault(error: BaseException, who: str, kept_safe: str) -> Fault | None:
    """What to tell of ``error`` where it says that ``who`` was starved; None for any other."""
    refused = starved_of(error)
    if not refused:
        return None
    return Fault(
        "starved",
        f"The machine refused {who}: {visible(refused, 300)}. What was asked is not known.",
        kept_safe,
        "Close what uses it up or raise the limit (ulimit -a shows them), then give the command again.",
    )


def is_starved_in_words(text: str) -> bool:
    """Whether a program's last words say that it was starved."""
    return any(word in text for word in _WORDS)
