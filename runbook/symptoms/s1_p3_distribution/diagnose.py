"""S1.P3.distribution: verdicts are missing, or not one run is accepted."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.contracts import paths
from pipeline.contracts.status import Verdict
from runbook.actions.rerun_stage import plan_rerun
from runbook.change.plan import Draft
from runbook.probes.check_reports import by_checks
from runbook.probes.code_history import ChangedFile, code_probe
from runbook.probes.evidence import Detection, Diagnosis, ProbeOutput
from runbook.probes.settings_history import settings_probe
from runbook.symptom import Answers, Offer, Probe, diagnosed
from runbook.symptoms import distribution_causes as why
from runbook.symptoms.s1_p2_materialize.diagnose import RESTORE_SETTINGS, edit_offers, listed, restore_code
from runbook.symptoms.s1_p3_distribution.define import (
    CHANGED,
    CHECKS,
    DEFINITION,
    ID,
    NO_SIGNAL,
    NOT_SCORED,
    THRESHOLDS,
    TOUCHED,
)
from runbook.symptoms.s1_p3_distribution.glance import glance
from runbook.symptoms.scorer_look import SCORER, scorer_probe
from runbook.symptoms.stage_claims import claims_probe
from runbook.symptoms.stream_shapes import streams_probe
from runbook.symptoms.verdict_counts import verdicts_probe
from runbook.wizard.planning import Planning, joined

detect, rerun = by_checks(ID, CHECKS, glance)


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
    ways: list[tuple[str, Offer]] = []
    code = [ChangedFile.model_validate(each) for each in listed(diagnosis, "code")]
    if code:
        ways.append((CHANGED, restore_code(code)))
    if listed(diagnosis, "settings"):
        ways.append((THRESHOLDS, RESTORE_SETTINGS))
    if cause in (NOT_SCORED, TOUCHED):
        ways.append((cause, SCORE_AGAIN))
    if cause == NO_SIGNAL:
        ways += [(cause, each) for each in edit_offers(diagnosis)]
    ways.sort(key=lambda one: one[0] != cause)
    return tuple(offer for _, offer in ways)


def _score_again(planning: Planning, _answers: Answers) -> Draft:
    stages = [plan_rerun(planning, command) for command in ("score", "export")]
    return joined("Score the evidence again, then export", stages)


SCORE_AGAIN = Offer(
    "rescore",
    "Score the evidence again, then export",
    "evidence, rules and thresholds are sound; every verdict is made again from them",
    _score_again,
)

SYMPTOM = diagnosed(
    DEFINITION,
    detect=detect,
    classify=classify,
    offers=offers,
    probes=probes,
    rerun=rerun,
)
