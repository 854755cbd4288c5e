"""Whether anything that checks judge was touched since they looked: code, settings, sources, outputs."""

from __future__ import annotations

import os
from pathlib import Path

from pipeline.contracts import paths
from runbook.probes.workspace import Workspace

_ENGINE = "pipeline"
_JUDGED = (
    paths.SETTINGS,
    paths.RECON_DOC,
    paths.KNOWLEDGE_BASE,
    paths.EVIDENCE,
    paths.SCORED_RUNS,
    paths.EXPORTS,
)


def is_touched_since(workspace: Workspace, when: float | None) -> bool:
    """True for an unknown time, too. ``when`` is seconds since the epoch.

    Told by inode change times, which no copy or restore can set back.
    """
    if when is None:
        return True
    roots = [workspace.root / path for path in _JUDGED]
    if workspace.runs_own_engine:
        roots.append(workspace.root / _ENGINE)
    return any(_touched_after(root, when) for root in roots)


def _touched_after(root: Path, when: float) -> bool:
    try:
        if root.lstat().st_ctime > when:
            return True
        if not root.is_dir():
            return False
    except FileNotFoundError:
        return False
    for folder, folders, files in os.walk(root):
        folders[:] = [each for each in folders if each != "__pycache__"]
        # The audit itself appends to journals; they are not what it judges.
        for name in (*folders, *(each for each in files if each.split(".")[0] not in paths.JOURNAL_STEMS)):
            if (Path(folder) / name).lstat().st_ctime > when:
                return True
    return False
