"""Nuclear restore: the whole tag, blob by blob, then everything is proven again.

What is uncommitted or untracked is kept in the incident's folder before it is replaced, so that
there is a way back to just where you were. Journals, incidents and data that git does not hold
stay as they are.
"""

from __future__ import annotations

from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.plurals import differ
from pipeline.platform.git import GitError
from pipeline.platform.git_objects import Change
from runbook.actions.remote_tag import compare_with_remote
from runbook.actions.rerun_stage import OUTPUTS, plan_command
from runbook.actions.restore import plan_restore, tagged_commit
from runbook.change.plan import Draft
from runbook.change.planning import Planning, joined
from runbook.change.refusals import refused
from runbook.probes.workspace import Workspace

ENGINE = "pipeline"
_REMOTE_SECONDS = 10.0
_UNTOUCHED = (str(paths.INCIDENTS), *(f"{paths.KNOWLEDGE_BASE}/{stem}" for stem in paths.JOURNAL_STEMS))


def differences(workspace: Workspace, commit: str) -> list[Change]:
    """How the workspace differs from ``commit``: what the tag holds, and the engine's extra files.

    Raises GitError.
    """
    git = workspace.git
    tracked = sorted({entry.path for entry in git.entries(commit)})
    found = git.changes(commit, tracked)
    if workspace.runs_own_engine:
        found += [change for change in git.changes(commit, [ENGINE]) if change.kind == "added"]
    return [change for change in found if not change.path.startswith(_UNTOUCHED)]


def plan_nuclear(planning: Planning) -> Draft:
    """Restore everything, run, audit, accept. Raises RefusedError when the tag moved at the remote."""
    name = planning.workspace.last_good_tag
    remote = compare_with_remote(planning.workspace.root, name, _REMOTE_SECONDS)
    if remote.moved:
        raise refused("tag_moved", remote.says, "Find out who moved the tag, and which commit is right.")
    commit = tagged_commit(planning, name)
    try:
        changes = differences(planning.workspace, commit)
    except GitError as error:
        raise refused("git_refused", f"No plan can be made: {error}.", "Try: git fsck") from error
    odd = [change.path for change in changes if change.kind == "odd"]
    drafts = []
    restored = [change.path for change in changes if change.kind in ("changed", "missing")]
    added = [change.path for change in changes if change.kind == "added"]
    if restored or added:
        drafts.append(plan_restore(planning, restored, tag=name, remove=added))
    drafts += [
        # A run that set a breached file aside is committed, and says so; verification looks anew.
        plan_command(
            planning,
            ["run-all"],
            title="Run everything",
            ends_with=(ExitCode.OK, ExitCode.FIREWALL_BREACH),
        ),
        plan_command(planning, ["acceptance"], title="Acceptance"),
        plan_command(
            planning,
            ["audit-full", "--acceptance-report", str(paths.ACCEPTANCE_DATA)],
            title="Audit",
            touches=OUTPUTS,
            appends=(str(paths.AUDIT_BASELINES), str(paths.REPLAY_RUNS)),
        ),
    ]
    draft = joined(f"Restore everything from {name}, and prove it", drafts, action="nuclear")
    notes = [
        remote.says,
        f"{differ(len(restored), f'from {name}')}, {len(added)} not in it",
        *(f"left alone, because it is no plain file: {path}" for path in odd),
    ]
    plan = draft.plan.model_copy(
        update={
            "tag": name,
            "commit": commit,
            "notes": tuple(notes),
            "undo": "Put every file back that was replaced or taken away, and the outputs as they were.",
        }
    )
    return Draft(plan=plan, contents=draft.contents)
