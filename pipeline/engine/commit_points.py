"""Named moments at which a run may be killed on purpose.

The crash tests and ``acceptance`` set ``DISTILL_CRASH_AT`` to a name (or ``name:N`` for its
N-th passing) and the process dies there as from ``kill -9``: no handler runs, no buffer is
flushed. Without the variable a commit point costs one dictionary look-up.
"""

from __future__ import annotations

import os
import signal

VARIABLE = "DISTILL_CRASH_AT"

# In the order in which a run passes them. docs/architecture.md has one row for each.
NAMES = (
    "run-started",
    "chunk-rows-written",
    "chunk-index-written",
    "all-chunks-mapped",
    "outputs-staged",
    "firewall-scanned",
    "receipts-staged",
    "intent-written",
    "originals-linked",
    "output-renamed",
    "outputs-renamed",
    "state-written",
    "intent-removed",
)

_passed: dict[str, int] = {}


def reached(name: str) -> None:
    """Die here if the environment asks for it. ``name`` is one of ``NAMES``."""
    wanted = os.environ.get(VARIABLE)
    if wanted is None:
        return
    point, _, ordinal = wanted.partition(":")
    if point != name:
        return
    _passed[name] = _passed.get(name, 0) + 1
    if _passed[name] >= int(ordinal or 1):
        os.kill(os.getpid(), signal.SIGKILL)
