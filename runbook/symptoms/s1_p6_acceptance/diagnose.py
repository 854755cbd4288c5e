"""S1.P6.acceptance: an invariant fails on the fixture, and the real data are not green either."""

from __future__ import annotations

from collections.abc import Iterator

from runbook.probes.code_history import code_probe
from runbook.probes.evidence import Detection, Diagnosis
from runbook.symptom import Offer, diagnosed
from runbook.symptoms.gate_report import is_not_alone
from runbook.symptoms.gate_state import gate_looks, other_checks, suspicion
from runbook.symptoms.offers import RUN_ALL, code_offer, named, to_restore
from runbook.symptoms.s1_p6_acceptance import DEFINITION, ID
from runbook.symptoms.s3_divergence import DIVERGENCE

# Checks of data that a run makes: with sound code, a new run makes them anew.
_OF_A_RUN = ("P2", "P3", "P4", "P5")

detect, rerun = gate_looks(ID, is_not_alone, DIVERGENCE)


def restore_offer(diagnosis: Diagnosis) -> Iterator[Offer]:
    """The suspected files back to the tag; none where nobody is suspected."""
    if files := to_restore(diagnosis):
        why = "the tag is the last state that was good; the failed invariants are asked again afterwards"
        yield code_offer(files, f"Restore {named(files)} from the last-good tag", why)


def offers(detection: Detection, diagnosis: Diagnosis) -> Iterator[Offer]:
    """Code alone, or code and a new run where outputs of the run are red as well."""
    yield from restore_offer(diagnosis)
    files, others = to_restore(diagnosis), other_checks(detection)
    if files and any(each.startswith(_OF_A_RUN) for each in others):
        title = f"Restore {named(files)}, then run everything again"
        why = f"the outputs were made by that code: {', '.join(others)} looks at them"
        yield code_offer(files, title, why, offer_id="restore-and-run", then=[(RUN_ALL,)])


PROBES = (code_probe(title="The engine's code, phase by phase"),)
SYMPTOM = diagnosed(DEFINITION, detect, suspicion, offers, PROBES, rerun=rerun)
