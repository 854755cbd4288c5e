"""Whether the machine refused what every program needs: descriptors, memory, processes.

Who is starved has seen nothing: it is no bug, no finding, and no sign of health. A program that we
started tells it by its last words alone.
"""

from __future__ import annotations

import errno
import os

from pipeline.contracts.faults import Fault
from pipeline.contracts.untrusted import visible

_REFUSALS = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN)
_WORDS = (*map(os.strerror, _REFUSALS), MemoryError.__name__, "can't start new thread")


def starved_of(error: BaseException | None) -> str:
    """One line for what was refused; empty where that is not what happened.

    A library may have wrapped the system's word: what an error was raised for counts too.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, MemoryError):
            return os.strerror(errno.ENOMEM)
        if isinstance(error, OSError) and error.errno in _REFUSALS:
            return os.strerror(error.errno)
        if isinstance(error, (ImportError, RuntimeError)) and is_starved_in_words(str(error)):
            return str(error)
        error = error.__cause__ or error.__context__
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
