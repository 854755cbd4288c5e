"""Did it help? Asked of the detector that raised the incident, and of nobody else.

What was done directly, and what was taken back, is verified by the files themselves: every step
ended as planned, or it would not have come so far.
"""

from __future__ import annotations

import contextlib
import time

from pipeline.contracts.faults import StorageError
from pipeline.contracts.incidents import WizardState
from pipeline.contracts.status import Verdict
from pipeline.reading.symptom_log import keep_looks
from runbook.change.incident import Incident
from runbook.change.plan import Plan
from runbook.probes.workspace import Workspace
from runbook.symptom import Symptom
from runbook.wizard import dialogue as wizard
from runbook.wizard.detecting import detect_one


def verify(workspace: Workspace, incident: Incident, symptom: Symptom | None, plan: Plan) -> bool:
    """Journal the verdict and the state that follows from it; True when the incident may end.

    Only green resolves. Containment counts as done when the detector does not ring any more,
    even where there is nothing left to look at.
    """
    if plan.undoes is not None or symptom is None:
        _by_files(incident, symptom, plan)
        return True
    detection = detect_one(workspace, symptom, full=True)
    with contextlib.suppress(StorageError):  # the journal has it in any case
        keep_looks(workspace.root, [detection.answer], time.time())
    contained = plan.ends == "mitigated" and detection.verdict is not Verdict.DETECTED
    good = detection.verdict is Verdict.CLEAR or contained
    incident.journal.append(
        "verified",
        plan.ends if good else "verifying",
        verdict=wizard.CONTAINED if contained else detection.verdict,
        plan_hash=plan.hash,
        detail={"detection": detection.model_dump(mode="json"), "says": detection.observed},
    )
    return good


def _by_files(incident: Incident, symptom: Symptom | None, plan: Plan) -> None:
    state: WizardState = plan.ends
    if plan.undoes is not None:
        state = "detected" if symptom is not None else "abandoned"
    incident.journal.append("verified", state, verdict=wizard.AS_PLANNED, plan_hash=plan.hash)
    if plan.undoes is not None:
        incident.journal.append(
            "state", state, verdict="undone", plan_hash=plan.hash, detail={"undone": plan.undoes}
        )
