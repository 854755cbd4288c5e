"""Run the detectors, and set each symptom beneath the one that explains it.

One broken schema raises five symptoms. All five are shown, four of them beneath the first, so
that nobody repairs a consequence.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pipeline.contracts.faults import ExitCode, OperatorError
from pipeline.contracts.status import Severity, Verdict
from runbook.probes.evidence import Detection
from runbook.probes.workspace import Workspace
from runbook.symptom import Symptom

# Detectors wait for subprocesses more than they compute.
_AT_ONCE = 4
_SEVERE = (Severity.CRITICAL, Severity.ERROR)


@dataclass(frozen=True)
class Found:
    """One symptom's detection. ``beneath`` is the id of the symptom that explains it."""

    symptom: Symptom
    detection: Detection
    beneath: str | None = None

    @property
    def is_raised(self) -> bool:
        return self.detection.verdict is Verdict.DETECTED


def detect_one(workspace: Workspace, symptom: Symptom, *, full: bool = False) -> Detection:
    """One detection; a detector that raises could not look."""
    try:
        return symptom.look_anew(workspace) if full else symptom.detect(workspace)
    except Exception as error:  # noqa: BLE001 - one broken detector must not silence the others
        said = (
            error.fault.what_happened
            if isinstance(error, OperatorError)
            else f"{type(error).__name__}: {error}"
        )
        return Detection(
            symptom_id=symptom.id,
            verdict=Verdict.UNKNOWN,
            observed=f"could not look: {said}",
            read_at=time.time(),
            as_of=None,
        )


def detect_all(workspace: Workspace, symptoms: Sequence[Symptom], *, full: bool = False) -> list[Found]:
    """Every symptom, worst first as listed. ``full`` reruns what a report would answer.

    What is rerun goes one after the other: engine commands take the workspace's lock.
    """
    with ThreadPoolExecutor(1 if full else _AT_ONCE) as pool:
        detections = list(pool.map(lambda each: detect_one(workspace, each, full=full), symptoms))
    raised = {each.symptom_id for each in detections if each.verdict is Verdict.DETECTED}
    return [
        Found(
            symptom,
            detection,
            next((above for above in _above(symptom, detection) if above in raised), None)
            if detection.verdict is Verdict.DETECTED
            else None,
        )
        for symptom, detection in zip(symptoms, detections, strict=True)
    ]


def _above(symptom: Symptom, detection: Detection) -> tuple[str, ...]:
    return (*symptom.explained_by, *detection.explained_by)


def exit_code(found: Sequence[Found]) -> int:
    """1 when a symptom of severity error or critical shows; 5 when one could not be looked for.

    What was never made cannot be looked at, and nobody is blind for that: a new workspace ends with 0.
    """
    if any(each.is_raised and each.symptom.severity in _SEVERE for each in found):
        return ExitCode.CHECK_FAILED
    blind = [each for each in found if each.detection.verdict is Verdict.UNKNOWN and each.symptom.live]
    blind = [each for each in blind if not each.detection.nothing_yet]
    if any(each.symptom.severity in _SEVERE for each in blind):
        return ExitCode.NOT_EVALUATED
    return ExitCode.OK
