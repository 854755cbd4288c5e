"""What the last run counted, where no audit has looked since: a fault of the night is told at once.

The audit recounts and has the last word; until it has, a run's own counts are believed when they
say that something is wrong, and never when they say that all is well.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from pipeline.contracts.status import Verdict
from runbook.probes.check_reports import last_audit
from runbook.probes.committed_runs import CommittedRun, last_committed
from runbook.probes.evidence import Detection, Evidence, Stance
from runbook.probes.workspace import Workspace
from runbook.symptom import Detector

# What is wrong with the counts of a run, in words; empty when nothing is.
Judge = Callable[[Workspace, CommittedRun], str]


def or_by_last_run(symptom_id: str, check: str, by_report: Detector, judge: Judge) -> Detector:
    """``by_report``, and where it does not ring, the counts of a run that is newer than the report."""

    def detect(workspace: Workspace) -> Detection:
        found = by_report(workspace)
        if found.verdict is Verdict.DETECTED:
            return found
        run, report = last_committed(workspace.root), last_audit(workspace)
        if run is None or run.finished_at is None:
            return found
        if report is not None and report.finished_at is not None and report.finished_at >= run.finished_at:
            return found
        told = judge(workspace, run)
        if not told:
            return found
        now = time.time()
        return Detection(
            symptom_id=symptom_id,
            verdict=Verdict.DETECTED,
            observed=told,
            read_at=now,
            as_of=run.finished_at,
            source=run.summary_path,
            reproduce=f"distill audit-full --check {check}",
            evidence=(Evidence(stance=Stance.FOR, says=told, source=run.summary_path, read_at=now),),
            facts={"checks": [check]},
        )

    return detect
