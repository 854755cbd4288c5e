"""Rotate the replay log: the engine moves, compresses and verifies; we note what it did."""

from __future__ import annotations

from pipeline.contracts import paths
from runbook.actions.rerun_stage import plan_command
from runbook.change.plan import Draft
from runbook.wizard.planning import Planning


def plan_rotate(planning: Planning) -> Draft:
    """``distill rotate-replay-log``, taken back by putting the log's bytes back in place."""
    archives = paths.REPLAY_RUNS.with_name(f"{paths.REPLAY_RUNS.stem}.archive.*")
    return plan_command(
        planning,
        ["rotate-replay-log", "--force"],
        title="Rotate the replay log",
        touches=(str(paths.REPLAY_RUNS), str(archives)),
        repeatable=False,
        undo="Put the log back as it was and take the archive away, if no replay was logged since.",
    )
