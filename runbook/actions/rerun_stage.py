"""Run an engine command again, with every file it may change noted and kept beforehand."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode
from runbook.change.command_step import present
from runbook.change.files import state_of
from runbook.change.plan import Draft, RunCommand
from runbook.change.planning import Planning

# What the stages write; the chunk cache is left out, because it can be made again.
OUTPUTS = tuple(
    str(path)
    for path in (
        paths.EVIDENCE,
        paths.SCORED_RUNS,
        paths.EXPORTS,
        paths.REPORTS,
        paths.DISTILLATION_SKIPS,
        paths.SCORING_SKIPS,
        paths.RUN_STATE,
    )
)
_MOST_SECONDS = 3600.0


def plan_command(
    planning: Planning,
    arguments: Sequence[str],
    *,
    title: str,
    touches: Sequence[str] = OUTPUTS,
    appends: Sequence[str] = (),
    ends_with: tuple[int, ...] = (0,),
    repeatable: bool = True,
    undo: str = "Put every file that it changes back to the bytes it had, and take new ones away.",
) -> Draft:
    """``distill ARGUMENTS`` as a plan. ``touches`` must cover whatever it can change."""
    root = planning.workspace.root
    step = RunCommand(
        arguments=tuple(arguments),
        touches=tuple(touches),
        leaves=_past_runs(root),
        appends=tuple(appends),
        ends_with=ends_with,
        repeatable=repeatable,
        seconds=_MOST_SECONDS,
        says=f"Run distill {shlex.join(arguments)}.",
        by_hand=f"distill {shlex.join(arguments)}",
    )
    found = {path: state_of(root, path) for path in present(root, step)}
    return planning.draft("rerun", title, [step.model_copy(update={"before": found})], undo=undo)


def _past_runs(root: Path) -> tuple[str, ...]:
    """The folders of runs that are over: no later run touches them."""
    folder = root / paths.REPORTS
    try:
        names = sorted(each.name for each in folder.iterdir() if each.is_dir() and not each.is_symlink())
    except OSError:
        return ()
    return tuple(f"{paths.REPORTS}/{name}" for name in names)


def plan_rerun(planning: Planning, command: str, *arguments: str) -> Draft:
    """Re-run a stage (``run-all``, ``score``, ``export-sft``, ``export-rag`` …).

    A breach that stands in another file is told by the run, which has committed what it made all the same:
    whether this plan helped is for the detector to say.
    """
    ends = (ExitCode.OK, ExitCode.FIREWALL_BREACH)
    return plan_command(planning, [command, *arguments], title=f"Re-run {command}", ends_with=ends)
