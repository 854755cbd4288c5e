"""S1.P3.distribution: verdicts are missing, or not one run is accepted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import JsonValue

from pipeline.contracts import paths
from pipeline.contracts.status import Verdict
from pipeline.platform.lenient_json import texts_of
from runbook.case import Case
from runbook.probes.check_reports import by_checks
from runbook.probes.code_history import ChangedFile, code_probe
from runbook.probes.evidence import Confidence, Detection, Diagnosis, Evidence, Stance
from runbook.probes.settings_history import SettingChange, settings_probe
from runbook.symptom import Offer, diagnosed
from runbook.symptoms import s1_p3_distribution as define
from runbook.symptoms.claims import StageClaims, claims_in, claims_probe
from runbook.symptoms.offers import as_tagged, differing, fitting_first, rerun_offer
from runbook.symptoms.s1_p2_materialize.diagnose import edit_offers
from runbook.symptoms.s1_p3_distribution.glance import glance
from runbook.symptoms.stream_shapes import Shape, Survey, streams_probe, survey_of
from runbook.symptoms.verdict_look import (
    EXPLAINED,
    SCORER,
    VERDICTS,
    Counts,
    ScorerLook,
    scorer_probe,
    verdicts_probe,
)

STAGE = "score"
MATERIALIZE = "S1.P2.materialize"
_SIGNALS = ("reward", "verdict", "success_markers", "failure_markers", "human_override")
detect, rerun = by_checks(define.ID, define.CHECKS, glance)


@dataclass(frozen=True)
class Seen:
    """All that the probes found out."""

    case: Case
    counts: Counts
    claims: StageClaims
    scorer: ScorerLook
    survey: Survey

    @property
    def files(self) -> tuple[ChangedFile, ...]:
        return self.case.code.of_phase("P3")

    @property
    def thresholds(self) -> tuple[SettingChange, ...]:
        return self.case.settings.under("scoring")

    @property
    def silent(self) -> list[Shape]:
        """Streams whose lines lack a name from which a signal is read."""
        return [
            each
            for each in self.survey.shapes
            if each.gone and (set(each.empty_fields) & set(_SIGNALS) or not each.evidence)
        ]

    @property
    def silent_told(self) -> list[str]:
        return [f"{each.stream}: no line has {', '.join(each.gone)}" for each in self.silent]


def diagnose(case: Case) -> Diagnosis:
    seen = Seen(
        case,
        case.found(VERDICTS, Counts()),
        claims_in(case, STAGE),
        case.found(EXPLAINED, ScorerLook()),
        survey_of(case),
    )
    cause, confidence, places = _judged(seen)
    evidence = _evidence(seen)
    return case.concluded(
        cause,
        confidence,
        evidence,
        places=places,
        aside=evidence,
        facts=_facts(seen),
        see=MATERIALIZE if cause == define.NO_EVIDENCE else None,
    )


def _judged(seen: Seen) -> tuple[str, Confidence, tuple[str, ...]]:
    counts = seen.counts
    if not counts.evidence:
        return define.NO_EVIDENCE, Confidence.CERTAIN, ("data/evidence",)
    if not counts.scored:
        return define.NOT_SCORED, Confidence.CERTAIN, ("data/scored-runs",)
    if seen.claims.outputs_told:
        return define.TOUCHED, Confidence.CERTAIN, seen.claims.outputs_told
    if seen.claims.inputs:
        return define.NOT_SCORED, Confidence.CERTAIN, seen.claims.inputs_told
    if seen.files:
        confidence = Confidence.CERTAIN if seen.scorer.failed else Confidence.LIKELY
        return define.CHANGED, confidence, tuple(each.told for each in seen.files)
    if seen.thresholds:
        return define.THRESHOLDS, Confidence.CERTAIN, tuple(each.told_by for each in seen.thresholds)
    red = texts_of(seen.case.detection.facts, "checks")
    if "P3.coverage" in red and (counts.unscored or counts.orphans):
        return define.NOT_SCORED, Confidence.LIKELY, counts.unscored_streams
    if counts.reasons.get("no_signal") and seen.silent:
        return define.NO_SIGNAL, Confidence.LIKELY, tuple(f"stream {told}" for told in seen.silent_told)
    return define.UNKNOWN, Confidence.UNKNOWN, ()


def _evidence(seen: Seen) -> dict[str, tuple[Evidence, ...]]:
    """For each cause what speaks for it and against it."""
    case, counts, claims = seen.case, seen.counts, seen.claims
    receipt = claims.receipt or "no receipt of a scoring"
    counted = case.fact(
        Stance.FOR, "What stands there now.", "data/evidence and data/scored-runs", counts.told
    )
    moved, scored = "Evidence changed since it was scored.", "Evidence is what was scored."
    other, own = "Scored runs are not what the last run wrote.", "Scored runs are what the last run wrote."
    gone, there = "Names of signals are gone.", "No name of a signal is gone."
    differ, same = f"[scoring] differs from {case.settings.tag}.", f"[scoring] is as in {case.settings.tag}."
    return {
        define.NOT_SCORED: (counted, case.judged(claims.inputs, moved, scored, receipt, claims.inputs_told)),
        define.TOUCHED: (case.judged(claims.outputs_told, other, own, receipt, claims.outputs_told),),
        define.CHANGED: tuple(_of_scorer(seen)),
        define.THRESHOLDS: (case.settings_differ(seen.thresholds, differ, same),),
        define.NO_EVIDENCE: (
            case.judged(not counts.evidence, "No evidence row.", "There is evidence.", "data/evidence"),
        ),
        define.NO_SIGNAL: (
            counted,
            case.judged(seen.silent, gone, there, "distill streams check", seen.silent_told),
        ),
    }


def _of_scorer(seen: Seen) -> Iterator[Evidence]:
    case, scorer, tag = seen.case, seen.scorer, seen.case.code.tag
    says, unless = f"The scorer's code differs from {tag}.", f"The scorer's code is as in {tag}."
    yield case.code_differs(seen.files, says, unless, "pipeline/stages")
    if tests := (*scorer.failed, *(f"{each} passes" for each in scorer.passed)):
        says, unless = "The scorer's own tests fail on the fixture.", "The scorer's own tests pass."
        yield case.judged(scorer.failed, says, unless, "distill acceptance", tests)
    if scorer.explained:
        yield case.fact(Stance.UNKNOWN, "One verdict explained.", "distill explain", scorer.explained)


def _facts(seen: Seen) -> dict[str, JsonValue]:
    return {
        **differing(seen.files, (each.told for each in seen.thresholds)),
        "shapes": [each.model_dump(mode="json") for each in seen.silent if each.renames],
    }


def offers(detection: Detection, diagnosis: Diagnosis) -> tuple[Offer, ...]:
    """What the cause asks for first; scoring again as it is stands last, where rules changed."""
    if detection.verdict is not Verdict.DETECTED or diagnosis.see is not None:
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

# The dearest ones last: a wizard that is cut off begins again with the first.
PROBES = (
    verdicts_probe(),
    code_probe(SCORER, title="The scorer since the last-good tag"),
    settings_probe(),
    claims_probe(STAGE, str(paths.SCORED_RUNS)),
    streams_probe(),
    scorer_probe(),
)
SYMPTOM = diagnosed(define.DEFINITION, detect, diagnose, offers, PROBES, rerun=rerun)
