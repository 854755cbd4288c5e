"""S1.P6.acceptance: an invariant fails on the fixture, and the real data are not green either."""

from __future__ import annotations

from collections.abc import Mapping

from runbook.probes.code_history import CODE, code_probe, read_code
from runbook.probes.evidence import Detection, Diagnosis, ProbeOutput
from runbook.probes.looks import Probe
from runbook.symptom import Offer, diagnosed
from runbook.symptoms.code_evidence import named, to_restore
from runbook.symptoms.gate_report import is_not_alone
from runbook.symptoms.gate_state import gate_looks, other_checks, suspicion
from runbook.symptoms.offers import RUN_ALL, code_offer
from runbook.symptoms.s1_p6_acceptance import DEFINITION, ID
from runbook.symptoms.s3_divergence import DIVERGENCE

# Checks of data that a run makes: with sound code, a new run makes them anew.
_OF_A_RUN = ("P2", "P3", "P4", "P5")


detect, rerun = gate_looks(ID, is_not_alone, DIVERGENCE)


def classify(detection: Detection, outputs: Mapping[str, ProbeOutput]) -> Diagnosis:
    output = outputs.get(CODE)
    return suspicion(detection, read_code(output), output.read_at if output else detection.read_at)


def restore_offer(diagnosis: Diagnosis | None) -> tuple[Offer, ...]:
    """The suspected files back to the tag; none where nobody is suspected."""
    files = to_restore(diagnosis)
    why = "the tag is the last state that was good; the failed invariants are asked again afterwards"
    return (code_offer(files, f"Restore {named(files)} from the last-good tag", why),) if files else ()


def offers(detection: Detection, diagnosis: Diagnosis | None) -> tuple[Offer, ...]:
    """Code alone, or code and a new run where outputs of the run are red as well."""
    files, others = to_restore(diagnosis), other_checks(detection)
    if not files or not any(each.startswith(_OF_A_RUN) for each in others):
        return restore_offer(diagnosis)
    title = f"Restore {named(files)}, then run everything again"
    why = f"the outputs were made by that code: {', '.join(others)} looks at them"
    again = code_offer(files, title, why, offer_id="restore-and-run", then=[(RUN_ALL,)])
    return (*restore_offer(diagnosis), again)


def probes(_detection: Detection) -> tuple[Probe, ...]:
    return (code_probe(title="The engine's code, phase by phase"),)


SYMPTOM = diagnosed(DEFINITION, detect, classify, offers, probes, rerun)
