"""Hold the workspace still while it is audited: auditors share it, a run has to wait.

A commit that a crash left open is settled first, as by any engine command.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.contracts import paths
from pipeline.engine import commit
from pipeline.platform.lock import hold_workspace

_DO_NEXT = "Wait for it, or watch it: distill console. Then again: distill audit-full"


@contextlib.contextmanager
def shared_view(workspace: Path, argv: Sequence[str]) -> Iterator[str | None]:
    """For the block, no run changes the workspace; yields a sentence when a commit was settled.

    Raises WorkspaceLockedError when a run is under way, IntegrityError, StorageError.
    """
    settled = None
    if (workspace / paths.INTENT).exists():
        with hold_workspace(workspace, command="audit-full", argv=argv, do_next=_DO_NEXT):
            settled = commit.settle(workspace)
    # A run that finds the lock shared names us; of several auditors, the last to come.
    with hold_workspace(workspace, command="audit-full", argv=argv, shared=True, do_next=_DO_NEXT):
        yield settled
