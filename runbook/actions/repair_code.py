"""Put the engine's code back, and run what was wrong because of it again.

A workspace that runs its own engine gets its files back from the last-good tag. Code that was
installed is none of the workspace's files: there the plan is the command that installs it again,
for a person to run.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Sequence

from runbook.actions.rerun_stage import plan_rerun
from runbook.actions.restore import plan_restore
from runbook.change.plan import Draft, Manual
from runbook.change.planning import Planning, joined
from runbook.probes.code_history import DISTRIBUTION, ChangedFile


def plan_code_repair(
    planning: Planning, files: Iterable[ChangedFile], then: Sequence[Sequence[str]] = ()
) -> Draft:
    """Restore what changed or is missing, take away what was added, then run ``then`` in order.

    ``then`` are engine commands such as ``("run-all",)``. Raises RefusedError where the tag will
    not do.
    """
    chosen = list(files)
    if not planning.workspace.runs_own_engine:
        return _reinstall(planning, chosen, then)
    restored = [each.path for each in chosen if each.kind != "added"]
    added = [each.path for each in chosen if each.kind == "added"]
    drafts = [plan_restore(planning, restored, remove=added)]
    drafts += [plan_rerun(planning, *words) for words in then]
    if len(drafts) == 1:
        return drafts[0]
    title = f"{drafts[0].plan.title}, then {', '.join(words[0] for words in then)}"
    return joined(title, drafts)


def reinstall_command() -> str:
    """The command line that installs the very version again, in this interpreter's environment."""
    from importlib import metadata

    try:
        named = f"{DISTRIBUTION}=={metadata.version(DISTRIBUTION)}"
    except metadata.PackageNotFoundError:  # run from a tree that nobody installed
        named = DISTRIBUTION
    words = ["-m", "pip", "install", "--force-reinstall", "--no-deps", named]
    return shlex.join([sys.executable, *words])


def _reinstall(planning: Planning, files: Sequence[ChangedFile], then: Sequence[Sequence[str]]) -> Draft:
    named = ", ".join(each.path for each in files[:3]) + (" …" if len(files) > 3 else "")
    steps = [
        Manual(
            says=f"Install the engine again: {named or 'its files'} differ from the wheel's record.",
            by_hand=reinstall_command(),
        )
    ]
    steps += [
        Manual(says=f"Then run distill {shlex.join(words)}.", by_hand=f"distill {shlex.join(words)}")
        for words in then
    ]
    return planning.draft(
        "reinstall",
        "Install the engine again",
        steps,
        undo="Install the version that you had before; nothing of the workspace was changed.",
        reversible=False,
        notes=("the engine is installed, not the workspace's own: its code is not in the last-good tag",),
    )
