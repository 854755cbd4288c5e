"""Is a run putting its outputs in place right now? Then evidence, verdicts and export disagree.

An intent file stands open and its owner lives, which is told by the lock that the kernel holds,
never by the word in the lock file. An intent whose owner is dead is no reason to wait: what lies
on the disk is what a trainer would read.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from pipeline.contracts import paths

PATIENCE_SECONDS = 5.0
_LOOK_EVERY_SECONDS = 0.05


def is_open(root: Path) -> bool:
    """Whether a commit is open and its owner lives."""
    return (root / paths.INTENT).exists() and _is_locked(root / paths.LOCK)


def wait_while_open(root: Path) -> bool:
    """Wait for an open commit to end. False when it outlasted our patience."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while is_open(root):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_LOOK_EVERY_SECONDS)
    return True


def _is_locked(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        # Closing the descriptor gives the lock back at once.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
