"""What a repair left that no commit holds: resolved is recorded only when it is committed."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from pipeline.contracts.incidents import IncidentEntry
from pipeline.platform import disk
from pipeline.platform.git import GitError
from runbook.change.plan import GitBlob, Plan, Step, WriteFile
from runbook.change.undo import plans_of
from runbook.probes.workspace import Workspace


def uncommitted(workspace: Workspace, plans: Sequence[Plan]) -> tuple[str, ...]:
    """Files that the plans changed, that git tracks, and that are not as in HEAD. Raises GitError, OSError.

    Tracked is what HEAD holds, and what was put back from a commit.
    """
    head = workspace.git.resolve("HEAD")
    found = []
    for path in dict.fromkeys(path for plan in plans for path in plan.paths):
        file = workspace.root / path
        now = disk.read_plain(file) if file.is_file() else None
        committed = workspace.git.bytes_at(head, path) if head else None
        restored = any(_puts_back(step, path) for plan in plans for step in plan.steps)
        if now != committed and (committed is not None or restored):
            found.append(path)
    return tuple(found)


def _puts_back(step: Step, path: str) -> bool:
    return isinstance(step, WriteFile) and step.path == path and isinstance(step.content, GitBlob)


def commit_command(workspace: Workspace, incident_id: str, entries: Sequence[IncidentEntry]) -> str:
    """The line that records what an incident's plans changed; empty where nothing is left to commit.

    It names the files alone: what somebody else has staged stays out of that commit.
    """
    try:
        plans = plans_of(entries)
        files = uncommitted(workspace, plans)
    except (GitError, OSError, ValueError):
        return ""  # without a repository there is nothing to record it in
    if not files:
        return ""
    named = shlex.join(files)
    message = shlex.quote(f"{plans[-1].title} (incident {incident_id})")
    return f"git add -- {named} && git commit -m {message} -- {named}"
