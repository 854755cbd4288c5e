"""Run probes and classify what they saw: reading only, and whatever goes wrong is itself a result."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from runbook.change.incident import Incident
from runbook.change.refusals import why_failed
from runbook.probes.evidence import Cause, Confidence, Detection, Diagnosis, ProbeOutput
from runbook.probes.looks import Probe
from runbook.probes.workspace import Workspace
from runbook.symptom import Symptom

MOST_TEXT = 20_000
# A link that broke is taken up again within this; a bisection may have taken half an hour.
FRESH_SECONDS = 900.0


def run_probe(workspace: Workspace, probe: Probe, clock: Callable[[], float] = time.time) -> ProbeOutput:
    """One probe's output; what it raises becomes its trouble."""
    began = time.monotonic()
    try:
        output = probe.look(workspace, probe.seconds)
    except Exception as error:  # noqa: BLE001 - a probe that fails is a result, and the others still run
        output = ProbeOutput(probe_id=probe.id, title=probe.title, trouble=why_failed(error))
    took = output.took_seconds or round(time.monotonic() - began, 3)
    return output.model_copy(update={"took_seconds": took, "read_at": output.read_at or clock()})


def which_probe(number: int, many: int, probe: Probe) -> str:
    """``check 2 of 4: Suspects in the code``."""
    return f"check {number} of {many}: {probe.title}"


def still_holds(workspace: Workspace, output: ProbeOutput, now: float) -> bool:
    """Whether a probe that ended well may be believed: it is fresh, and nothing was touched since."""
    is_fresh = 0 <= now - output.read_at <= FRESH_SECONDS
    return is_fresh and not output.trouble and not workspace.is_touched_since(output.read_at)


def classify(symptom: Symptom, detection: Detection, outputs: Mapping[str, ProbeOutput]) -> Diagnosis:
    """The symptom's own classification; one that fails is an honest "unknown"."""
    try:
        return symptom.classify(detection, outputs)
    except Exception as error:  # noqa: BLE001 - an output nobody foresaw must not close the wizard
        said = f"What the probes printed could not be read: {type(error).__name__}: {error}"
        return Diagnosis(cause=Cause(id="unknown", sentence=said, confidence=Confidence.UNKNOWN))


def diagnose_only(
    workspace: Workspace, symptom: Symptom, detection: Detection
) -> tuple[dict[str, ProbeOutput], Diagnosis]:
    """Probes and classification without an incident: nothing is written."""
    probes = symptom.probes(detection)
    outputs = dict[str, ProbeOutput]()
    for number, probe in enumerate(probes, start=1):
        workspace.tell(which_probe(number, len(probes), probe))
        outputs[probe.id] = run_probe(workspace, probe)
    return outputs, classify(symptom, detection, outputs)


def record_probe(incident: Incident, output: ProbeOutput) -> None:
    """Journal what a probe saw; the whole of a long text is kept beside. Raises StorageError."""
    whole = output.text.encode("utf-8", "backslashreplace")
    digest = incident.keep(whole) if whole else None
    short = output.model_copy(update={"text": output.text[:MOST_TEXT]})
    incident.journal.append(
        "probe",
        "diagnosing",
        argv=output.argv,
        verdict="trouble" if output.trouble else "read",
        detail={"output": short.model_dump(mode="json"), "sha256": digest},
    )
