"""S1.P3.distribution: verdicts are missing, or not one run is accepted."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.contracts import paths
from pipeline.contracts.status import Verdict
from runbook.probes.check_reports import by_checks
from runbook.probes.code_history import code_probe
from runbook.probes.evidence import Detection, Diagnosis, ProbeOutput
from runbook.probes.looks import Probe
from runbook.probes.settings_history import settings_probe
from runbook.symptom import Offer, diagnosed
from runbook.symptoms import distribution_causes as why
from runbook.symptoms.offers import as_tagged, fitting_first, rerun_offer
from runbook.symptoms.s1_p2_materialize.diagnose import edit_offers
from runbook.symptoms.s1_p3_distribution import define
from runbook.symptoms.s1_p3_distribution.glance import glance
from runbook.symptoms.stage_claims import claims_probe
from runbook.symptoms.stream_shapes import streams_probe
from runbook.symptoms.verdict_look import SCORER, scorer_probe, verdicts_probe

detect, rerun = by_checks(define.ID, define.CHECKS, glance)


def probes(_detection: Detection) -> tuple[Probe, ...]:
    # The dearest ones last: a wizard that is cut off begins again with the first.
    return (
        verdicts_probe(),
        code_probe(SCORER, title="The scorer since the last-good tag"),
        settings_probe(),
        claims_probe(why.STAGE, str(paths.SCORED_RUNS)),
        streams_probe(),
        scorer_probe(),
    )


def classify(detection: Detection, outputs: Mapping[str, ProbeOutput]) -> Diagnosis:
    return why.diagnose(detection, why.seen_in(detection, outputs))


def offers(detection: Detection, diagnosis: Diagnosis | None) -> tuple[Offer, ...]:
    """What the cause asks for first; scoring again as it is stands last, where rules changed."""
    if diagnosis is None or detection.verdict is not Verdict.DETECTED or diagnosis.see is not None:
        return ()
    cause = diagnosis.cause.id
    ways = as_tagged(diagnosis, define.CHANGED, define.THRESHOLDS)
    if cause in (define.NOT_SCORED, define.TOUCHED):
        ways.append((cause, SCORE_AGAIN))
    if cause == define.NO_SIGNAL:
        ways += [(cause, each) for each in edit_offers(diagnosis)]
    return fitting_first(ways, cause)


SCORE_AGAIN = rerun_offer(
    "rescore",
    "Score the evidence again, then export",
    "evidence, rules and thresholds are sound; every verdict is made again from them",
    "score",
    "export",
)

SYMPTOM = diagnosed(
    define.DEFINITION, detect=detect, classify=classify, offers=offers, probes=probes, rerun=rerun
)
