"""S1.P6.acceptance: an invariant fails on the fixture, and the real data are not green either."""

from __future__ import annotations

from collections.abc import Mapping

from runbook.actions.repair_code import plan_code_repair
from runbook.change.plan import Draft
from runbook.probes.code_history import PROBE, code_probe, read_code
from runbook.probes.evidence import Detection, Diagnosis, ProbeOutput
from runbook.probes.workspace import Workspace
from runbook.symptom import Answers, Offer, diagnosed
from runbook.symptoms.code_evidence import named, restoring, to_restore
from runbook.symptoms.gate_report import is_not_alone
from runbook.symptoms.gate_state import ask_gate, detection_of_gate, other_checks, read_gate
from runbook.symptoms.gate_suspects import suspicion
from runbook.symptoms.s1_p6_acceptance.define import DEFINITION, ID
from runbook.symptoms.s3_divergence.define import DIVERGENCE
from runbook.wizard.planning import Planning

# Checks of data that a run makes: with sound code, a new run makes them anew.
_OF_A_RUN = ("P2", "P3", "P4", "P5")


def detect(workspace: Workspace) -> Detection:
    """By the last acceptance and audit; what was red is asked again where code or data moved since."""
    return detection_of_gate(ID, read_gate(workspace), is_not_alone, DIVERGENCE)


def rerun(workspace: Workspace) -> Detection:
    """The failed invariants anew. What else was red in the last audit has symptoms of its own."""
    return detection_of_gate(ID, ask_gate(workspace), is_not_alone, DIVERGENCE)


def classify(detection: Detection, outputs: Mapping[str, ProbeOutput]) -> Diagnosis:
    output = outputs.get(PROBE)
    found = suspicion(detection, read_code(output), output.read_at if output else detection.read_at)
    return Diagnosis(cause=found.cause, considered=found.considered, facts=restoring(found.files))


def restore_offer(diagnosis: Diagnosis | None) -> tuple[Offer, ...]:
    """The suspected files back to the tag; none where nobody is suspected."""
    files = to_restore(diagnosis)
    if not files:
        return ()

    def make(planning: Planning, _answers: Answers) -> Draft:
        return plan_code_repair(planning, files)

    why = "the tag is the last state that was good; the failed invariants are asked again afterwards"
    return (Offer("restore", f"Restore {named(files)} from the last-good tag", why, make),)


def offers(detection: Detection, diagnosis: Diagnosis | None) -> tuple[Offer, ...]:
    """Code alone, or code and a new run where outputs of the run are red as well."""
    files = to_restore(diagnosis)
    if not any(each.startswith(_OF_A_RUN) for each in other_checks(detection)):
        return restore_offer(diagnosis)

    def make(planning: Planning, _answers: Answers) -> Draft:
        return plan_code_repair(planning, files, then=(("run-all",),))

    red = ", ".join(other_checks(detection))
    again = Offer(
        "restore-and-run",
        f"Restore {named(files)}, then run everything again",
        f"the outputs were made by that code: {red} looks at them",
        make,
    )
    return (*restore_offer(diagnosis), *((again,) if files else ()))


SYMPTOM = diagnosed(
    DEFINITION,
    detect=detect,
    classify=classify,
    offers=offers,
    probes=lambda _detection: (code_probe(title="The engine's code, phase by phase"),),
    rerun=rerun,
)
