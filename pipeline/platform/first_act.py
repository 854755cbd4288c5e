"""What a child does before it becomes its program: it dies with its parent, and gives way to others."""

from __future__ import annotations

import ctypes
import functools
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """Called by a forked child: be killed when ``parent`` dies, or end now when it is dead already."""
    _act(_prctl(), parent, 0, signal.SIGKILL)


def first_act(nice: int = 0, at_our_end: signal.Signals = signal.SIGKILL) -> functools.partial[None]:
    """What a child does before it becomes the program. Nothing here imports, or takes a lock.

    "We" are the thread that starts it: a thread that ends before its child takes the child along.
    """
    return functools.partial(_act, _prctl(), os.getpid(), nice, at_our_end)


def _prctl() -> Callable[[int, int], int] | None:
    return ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None


def _act(prctl: Callable[[int, int], int] | None, parent: int, nice: int, at_our_end: int) -> None:
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, at_our_end)
        if os.getppid() != parent:
            os._exit(1)
    if nice:
        os.nice(nice)
