"""The scorer asked directly: its own tests on the fixture, and why one run has its verdict."""

from __future__ import annotations

import json
from typing import Any

from runbook.probes.check_reports import look_again
from runbook.probes.code_history import code_history
from runbook.probes.evidence import ProbeOutput, Record
from runbook.probes.workspace import Workspace
from runbook.symptom import Probe
from runbook.symptoms.verdict_counts import first_run_id

PROBE = "scorer"
SCORER = ("pipeline/stages", "pipeline/engine")
# Categories exact, thresholds bite, an override wins, contradictions go to review.
TESTS = ("A09", "A10", "A11", "A12")
_TITLE = "The scorer's own tests, and one verdict explained"
_EXPLAIN_SECONDS = 60.0


class ScorerLook(Record):
    """``failed`` and ``passed`` are the scorer's tests; they run only where its code changed."""

    failed: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()
    run_id: str | None = None
    category: str = ""
    reason: str = ""
    is_outdated: bool = False
    explained: tuple[str, ...] = ()


def scorer_probe() -> Probe:
    """The probe whose output ``read_scorer`` understands."""

    def look(workspace: Workspace, seconds: float) -> ProbeOutput:
        found = _looked(workspace, seconds)
        tests = [f"{each} fails" for each in found.failed] + [f"{each} passes" for each in found.passed]
        return ProbeOutput(
            probe_id=PROBE,
            title=_TITLE,
            text="\n".join([*tests, *found.explained]) or "nothing to explain",
            data=found.model_dump(mode="json"),
        )

    return Probe(PROBE, _TITLE, 180.0, look)


def read_scorer(output: ProbeOutput | None) -> ScorerLook:
    """What the probe found; nothing after one that failed."""
    if output is None or output.data is None:
        return ScorerLook()
    return ScorerLook.model_validate(output.data)


def _looked(workspace: Workspace, seconds: float) -> ScorerLook:
    found = ScorerLook()
    if code_history(workspace, SCORER).of_phase("P3"):
        checks = look_again(workspace, TESTS, seconds=seconds)
        found = found.model_copy(
            update={
                "failed": tuple(f"{each.id}: {each.detail}" for each in checks.values() if each.is_red),
                "passed": tuple(each.id for each in checks.values() if each.status == "pass"),
            }
        )
    sample = first_run_id(workspace.root)
    if sample is None:
        return found
    ran = workspace.engine(["explain", sample, "--json"], seconds=_EXPLAIN_SECONDS)
    try:
        told: dict[str, Any] = json.loads(ran.stdout)
        rules = tuple(
            f"{'YES' if each['fired'] else 'no '} {each['reason']}: {each['why']}" for each in told["rules"]
        )
        return found.model_copy(
            update={
                "run_id": sample,
                "category": str(told["category"]),
                "reason": str(told["reason"]),
                "is_outdated": bool(told["is_outdated"]),
                "explained": (f"{sample} is {told['category']} by {told['reason']}", *rules),
            }
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return found.model_copy(update={"explained": (ran.reason,)})
