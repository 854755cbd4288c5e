"""S1.P3.distribution: verdicts are missing, or not one run is accepted."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.contracts import paths
from pipeline.contracts.status import Severity
from runbook.actions.rerun_stage import plan_rerun
from runbook.change.plan import Draft
from runbook.probes.check_reports import by_checks
from runbook.probes.code_history import ChangedFile, code_probe
from runbook.probes.committed_runs import CommittedRun, counts
from runbook.probes.evidence import Detection, Diagnosis, ProbeOutput, Verdict
from runbook.probes.settings_history import settings_probe
from runbook.probes.workspace import Workspace
from runbook.symptom import Answers, ByHand, Offer, Probe, Symptom
from runbook.symptoms import distribution_causes as why
from runbook.symptoms.last_run_counts import or_by_last_run
from runbook.symptoms.s1_p2_materialize.diagnose import RESTORE_SETTINGS, edit_offers, listed, restore_code
from runbook.symptoms.scorer_look import SCORER, scorer_probe
from runbook.symptoms.stage_claims import claims_probe
from runbook.symptoms.stream_shapes import streams_probe
from runbook.symptoms.verdict_counts import verdicts_probe
from runbook.wizard.planning import Planning, joined

ID = "S1.P3.distribution"
CHECKS = ("P3.distribution", "P3.coverage")


def _nobody_accepted(_workspace: Workspace, run: CommittedRun) -> str:
    """That run scored rows and accepted none of them."""
    counted = counts(run.summary.get("counts"))
    scored = counted.get("scored", 0)
    return (
        f"{scored:,} runs were scored and none was accepted" if scored and not counted.get("accepted") else ""
    )


_by_report, rerun = by_checks(ID, CHECKS)
detect = or_by_last_run(ID, CHECKS[0], _by_report, _nobody_accepted)


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
        ways.append((why.CHANGED, restore_code(code)))
    if listed(diagnosis, "settings"):
        ways.append((why.THRESHOLDS, RESTORE_SETTINGS))
    if cause in (why.NOT_SCORED, why.TOUCHED):
        ways.append((cause, SCORE_AGAIN))
    if cause == why.NO_SIGNAL:
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

SYMPTOM = Symptom(
    id=ID,
    severity=Severity.ERROR,
    title="Verdicts are missing, or no run is accepted",
    what_you_see="The audit's P3 fails: no scored run, none that is accepted, an unknown category, or "
    "evidence and verdicts that do not belong together.",
    why="Without a verdict nothing may be exported; with a wrong one the wrong rows are.",
    phases=("P3",),
    checks=CHECKS,
    detect=detect,
    classify=classify,
    offers=offers,
    probes=probes,
    rerun=rerun,
    live=False,
    explained_by=("ENGINE.wont-start", "S1.P1.schema", "S1.P2.materialize"),
    causes=why.CAUSES,
    by_hand=(
        ByHand(
            "Is there evidence, and is it scored?", "wc -l data/evidence/*.jsonl data/scored-runs/*.jsonl"
        ),
        ByHand("Why does a run have its verdict? Take a run id of data/evidence.", "distill explain RUN_ID"),
        ByHand(
            "Did the rules or thresholds change?",
            "git diff distillation-v1.0.0 -- pipeline/stages distill.toml",
        ),
        ByHand(
            "The scorer's own tests.", "distill acceptance --check A09 --check A10 --check A11 --check A12"
        ),
        ByHand("Put the scorer back.", "distill restore pipeline/stages/score.py"),
        ByHand("Score again; the exports follow.", "distill score && distill export"),
    ),
)
