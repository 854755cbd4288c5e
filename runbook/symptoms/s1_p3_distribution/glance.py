"""What the last audit says of the verdicts, and what the last run counted of them since."""

from __future__ import annotations

from pipeline.contracts.plurals import plural
from pipeline.reading.facts import Facts
from pipeline.reading.past_runs import CommittedRun, counts
from runbook.symptoms.by_report import by_checks, or_by_last_run
from runbook.symptoms.s1_p3_distribution import CHECKS


def _nobody_accepted(_facts: Facts, run: CommittedRun) -> str:
    """That run scored rows and accepted none of them."""
    counted = counts(run.summary.get("counts"))
    scored = counted.get("scored", 0)
    if not scored or counted.get("accepted"):
        return ""
    return f"{plural(scored, 'run', 'was' if scored == 1 else 'were')} scored and none was accepted"


glance = or_by_last_run(by_checks(CHECKS), _nobody_accepted)
