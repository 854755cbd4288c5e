"""Whether anything that checks judge was touched since they looked, as a wizard asks it."""

from __future__ import annotations

from pipeline.reading import touched
from runbook.probes.workspace import Workspace


def is_touched_since(workspace: Workspace, when: float | None) -> bool:
    """True for an unknown time, too. ``when`` is seconds since the epoch."""
    return touched.is_touched_since(workspace.root, when, own_engine=workspace.runs_own_engine)
