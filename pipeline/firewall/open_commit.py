"""Is a run putting its outputs in place right now? Then evidence, verdicts and export disagree.

An intent file stands open and its owner lives, which is told by the lock that the kernel holds,
never by the word in the lock file. An intent whose owner is dead is no reason to wait: what lies
on the disk is what a trainer would read.
"""

from __future__ import annotations

import time
from pathlib import Path

from pipeline.contracts import paths
from pipeline.platform.lock import is_held

PATIENCE_SECONDS = 5.0
_LOOK_EVERY_SECONDS = 0.05


def is_open(root: Path) -> bool:
    """Whether a commit is open and its owner lives."""
    return (root / paths.INTENT).exists() and is_held(root)


def wait_while_open(root: Path) -> bool:
    """Wait for an open commit to end. False when it outlasted our patience."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while is_open(root):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_LOOK_EVERY_SECONDS)
    return True
