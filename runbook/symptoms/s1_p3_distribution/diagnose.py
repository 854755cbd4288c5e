"""S1.P3.distribution: verdicts are missing, or not one run is accepted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from pipeline.contracts import paths
from pipeline.contracts.status import Verdict
from runbook.probes.check_reports import by_checks
from runbook.probes.code_history import CODE, ChangedFile, CodeHistory, code_probe, read_code
from runbook.probes.evidence import Confidence, Detection, Diagnosis, Evidence, ProbeOutput, Stance
from runbook.probes.looks import Probe, concluded, found_by
from runbook.probes.settings_history import (
    SETTINGS,
    SettingChange,
    SettingsHistory,
    read_settings_history,
    settings_probe,
)
from runbook.symptom import Offer, diagnosed
from runbook.symptoms import s1_p3_distribution as define
from runbook.symptoms.code_evidence import files_differ, settings_differ
from runbook.symptoms.offers import as_tagged, differing, fitting_first, rerun_offer
from runbook.symptoms.s1_p2_materialize.diagnose import edit_offers
from runbook.symptoms.s1_p3_distribution.glance import glance
from runbook.symptoms.stage_claims import StageClaims, claims_probe, probe_id
from runbook.symptoms.stream_shapes import STREAMS, Shape, Survey, read_survey, streams_probe
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
_CODE = ("P3",)
detect, rerun = by_checks(define.ID, define.CHECKS, glance)


@dataclass(frozen=True)
class Seen:
    """All that the probes found out; ``red`` are the checks that fail."""

    counts: Counts
    code: CodeHistory
    settings: SettingsHistory
    claims: StageClaims
    scorer: ScorerLook
    survey: Survey
    red: tuple[str, ...]
    read_at: float

    @property
    def files(self) -> tuple[ChangedFile, ...]:
        return self.code.of_phase(*_CODE)

    @property
    def thresholds(self) -> tuple[SettingChange, ...]:
        return self.settings.under("scoring")

    @property
    def silent(self) -> list[Shape]:
        """Streams whose lines lack a name from which a signal is read."""
        return [
            each
            for each in self.survey.shapes
            if each.gone and (set(each.empty_fields) & set(_SIGNALS) or not each.evidence)
        ]


def seen_in(detection: Detection, outputs: Mapping[str, ProbeOutput]) -> Seen:
    checks = detection.facts.get("checks")
    return Seen(
        found_by(outputs.get(VERDICTS), Counts) or Counts(),
        read_code(outputs.get(CODE)),
        read_settings_history(outputs.get(SETTINGS)),
        found_by(outputs.get(probe_id(STAGE)), StageClaims) or StageClaims(stage=STAGE),
        found_by(outputs.get(EXPLAINED), ScorerLook) or ScorerLook(),
        read_survey(outputs.get(STREAMS)),
        tuple(str(each) for each in checks) if isinstance(checks, list) else (),
        max((output.read_at for output in outputs.values()), default=0.0),
    )


def diagnose(detection: Detection, seen: Seen) -> Diagnosis:
    cause, confidence, places = _judged(seen)
    evidence = _evidence(seen)
    return concluded(
        define.CAUSES,
        cause,
        confidence,
        evidence,
        first=detection.evidence,
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
    touched = (*(each.told for each in seen.claims.outputs), *seen.claims.unknown)
    if touched:
        return define.TOUCHED, Confidence.CERTAIN, touched
    if seen.claims.inputs:
        return define.NOT_SCORED, Confidence.CERTAIN, tuple(each.told for each in seen.claims.inputs)
    if seen.files:
        confidence = Confidence.CERTAIN if seen.scorer.failed else Confidence.LIKELY
        return define.CHANGED, confidence, tuple(each.told for each in seen.files)
    if seen.thresholds:
        return define.THRESHOLDS, Confidence.CERTAIN, tuple(each.told_by for each in seen.thresholds)
    if "P3.coverage" in seen.red and (counts.unscored or counts.orphans):
        return define.NOT_SCORED, Confidence.LIKELY, counts.unscored_streams
    if counts.reasons.get("no_signal") and seen.silent:
        places = tuple(f"stream {each.stream}: no line has {', '.join(each.gone)}" for each in seen.silent)
        return define.NO_SIGNAL, Confidence.LIKELY, places
    return define.UNKNOWN, Confidence.UNKNOWN, ()


def _evidence(seen: Seen) -> dict[str, tuple[Evidence, ...]]:
    def fact(stance: Stance, says: str, source: str, lines: tuple[str, ...] = ()) -> Evidence:
        return Evidence.of(stance, says, source, seen.read_at, lines)

    def judged(holds: bool, says: str, unless: str, source: str, lines: tuple[str, ...] = ()) -> Evidence:
        return Evidence.judged(holds, says, unless, source, seen.read_at, lines)

    counts = seen.counts
    receipt = seen.claims.receipt or "no receipt of a scoring"
    counted = fact(Stance.FOR, "What stands there now.", "data/evidence and data/scored-runs", counts.told)
    touched = (*(each.told for each in seen.claims.outputs), *seen.claims.unknown)
    moved = tuple(each.told for each in seen.claims.inputs)
    tests = (*seen.scorer.failed, *(f"{each} passes" for each in seen.scorer.passed))
    says = f"The scorer's code differs from {seen.code.tag}."
    unless = f"The scorer's code is as in {seen.code.tag}."
    code = [files_differ(seen.code, seen.files, says, unless, seen.read_at, "pipeline/stages")]
    if tests:
        says = "The scorer's own tests fail on the fixture."
        code.append(
            judged(
                bool(seen.scorer.failed), says, "The scorer's own tests pass.", "distill acceptance", tests
            )
        )
    if seen.scorer.explained:
        code.append(fact(Stance.UNKNOWN, "One verdict explained.", "distill explain", seen.scorer.explained))
    gone = tuple(f"{each.stream}: no line has {', '.join(each.gone)}" for each in seen.silent)
    return {
        define.NOT_SCORED: (
            counted,
            judged(
                bool(moved),
                "Evidence changed since it was scored.",
                "Evidence is what was scored.",
                receipt,
                moved,
            ),
        ),
        define.TOUCHED: (
            judged(
                bool(touched),
                "Scored runs are not what the last run wrote.",
                "Scored runs are what the last run wrote.",
                receipt,
                touched,
            ),
        ),
        define.CHANGED: tuple(code),
        define.THRESHOLDS: (
            settings_differ(
                seen.settings,
                seen.thresholds,
                f"[scoring] differs from {seen.settings.tag}.",
                f"[scoring] is as in {seen.settings.tag}.",
                seen.read_at,
            ),
        ),
        define.NO_EVIDENCE: (
            judged(not counts.evidence, "No evidence row.", "There is evidence.", "data/evidence"),
        ),
        define.NO_SIGNAL: (
            counted,
            judged(
                bool(gone),
                "Names of signals are gone.",
                "No name of a signal is gone.",
                "distill streams check",
                gone,
            ),
        ),
    }


def _facts(seen: Seen) -> dict[str, JsonValue]:
    return {
        **differing(seen.files, (each.told for each in seen.thresholds)),
        "shapes": [each.model_dump(mode="json") for each in seen.silent if each.renames],
    }


def probes(_detection: Detection) -> tuple[Probe, ...]:
    # The dearest ones last: a wizard that is cut off begins again with the first.
    return (
        verdicts_probe(),
        code_probe(SCORER, title="The scorer since the last-good tag"),
        settings_probe(),
        claims_probe(STAGE, str(paths.SCORED_RUNS)),
        streams_probe(),
        scorer_probe(),
    )


def classify(detection: Detection, outputs: Mapping[str, ProbeOutput]) -> Diagnosis:
    return diagnose(detection, seen_in(detection, outputs))


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

SYMPTOM = diagnosed(define.DEFINITION, detect, classify, offers, probes, rerun)
