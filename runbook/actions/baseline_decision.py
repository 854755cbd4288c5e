"""Accept a metric's new value, or dismiss its warning once. Both append to the baselines."""

from __future__ import annotations

from pipeline.contracts import paths
from runbook.actions.rerun_stage import plan_command
from runbook.change.plan import Draft
from runbook.wizard.planning import Planning


def plan_decision(planning: Planning, decision: str, metrics: list[str], note: str) -> Draft:
    """``distill baseline accept|dismiss``. Undo cuts the row off again, or revokes it.

    Without ``metrics``, accept covers all of them.
    """
    chosen = [word for metric in metrics for word in ("--metric", metric)]
    return plan_command(
        planning,
        ["baseline", decision, *chosen, "--note", note],
        title=f"{decision.capitalize()} {', '.join(metrics) or 'every metric'}",
        touches=(),
        appends=(str(paths.AUDIT_BASELINES),),
        repeatable=False,
        undo="Cut the appended row off if nothing followed it; otherwise append a row that revokes it.",
    )
