"""PURE: why P3 fails: not scored, verdicts touched, the scorer or its thresholds changed, no signal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote

from pydantic import JsonValue

from runbook.probes.code_history import PROBE as CODE
from runbook.probes.code_history import ChangedFile, CodeHistory, read_code
from runbook.probes.evidence import Confidence, Detection, Diagnosis, Evidence, ProbeOutput, Stance
from runbook.probes.settings_history import PROBE as SETTINGS
from runbook.probes.settings_history import SettingChange, SettingsHistory, read_settings_history
from runbook.symptoms.s1_p3_distribution.define import (
    CAUSES,
    CHANGED,
    NO_EVIDENCE,
    NO_SIGNAL,
    NOT_SCORED,
    THRESHOLDS,
    TOUCHED,
    UNKNOWN,
)
from runbook.symptoms.scorer_look import PROBE as SCORER
from runbook.symptoms.scorer_look import ScorerLook, read_scorer
from runbook.symptoms.stage_claims import StageClaims, probe_id, read_claims
from runbook.symptoms.stream_shapes import PROBE as STREAMS
from runbook.symptoms.stream_shapes import Shape, Survey, read_survey
from runbook.symptoms.verdict_counts import PROBE as VERDICTS
from runbook.symptoms.verdict_counts import Counts, read_counts
from runbook.tell.causes import concluded

STAGE = "score"
MATERIALIZE = "S1.P2.materialize"
_SIGNALS = ("reward", "verdict", "success_markers", "failure_markers", "human_override")
_CODE = ("P3",)


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
        read_counts(outputs.get(VERDICTS)) or Counts(),
        read_code(outputs.get(CODE)),
        read_settings_history(outputs.get(SETTINGS)),
        read_claims(outputs.get(probe_id(STAGE)), STAGE),
        read_scorer(outputs.get(SCORER)),
        read_survey(outputs.get(STREAMS)),
        tuple(str(each) for each in checks) if isinstance(checks, list) else (),
        max((output.read_at for output in outputs.values()), default=0.0),
    )


def diagnose(detection: Detection, seen: Seen) -> Diagnosis:
    cause, confidence, places = _judged(seen)
    evidence = _evidence(seen)
    return concluded(
        CAUSES,
        cause,
        confidence,
        evidence,
        first=detection.evidence,
        places=places,
        aside=evidence,
        facts=_facts(seen),
        see=MATERIALIZE if cause == NO_EVIDENCE else None,
    )


def _judged(seen: Seen) -> tuple[str, Confidence, tuple[str, ...]]:
    counts = seen.counts
    if not counts.evidence:
        return NO_EVIDENCE, Confidence.CERTAIN, ("data/evidence",)
    if not counts.scored:
        return NOT_SCORED, Confidence.CERTAIN, ("data/scored-runs",)
    touched = (*(each.told for each in seen.claims.outputs), *seen.claims.unknown)
    if touched:
        return TOUCHED, Confidence.CERTAIN, touched
    if seen.claims.inputs:
        return NOT_SCORED, Confidence.CERTAIN, tuple(each.told for each in seen.claims.inputs)
    if seen.files:
        confidence = Confidence.CERTAIN if seen.scorer.failed else Confidence.LIKELY
        return CHANGED, confidence, tuple(each.told for each in seen.files)
    if seen.thresholds:
        by = f" ({seen.settings.by_whom})" if seen.settings.by_whom else ""
        return THRESHOLDS, Confidence.CERTAIN, tuple(f"{each.told}{by}" for each in seen.thresholds)
    if "P3.coverage" in seen.red and (counts.unscored or counts.orphans):
        return NOT_SCORED, Confidence.LIKELY, counts.unscored_streams
    if counts.reasons.get("no_signal") and seen.silent:
        places = tuple(f"stream {each.stream}: no line has {', '.join(each.gone)}" for each in seen.silent)
        return NO_SIGNAL, Confidence.LIKELY, places
    return UNKNOWN, Confidence.UNKNOWN, ()


def _evidence(seen: Seen) -> dict[str, tuple[Evidence, ...]]:
    def fact(stance: Stance, says: str, source: str, lines: tuple[str, ...] = ()) -> Evidence:
        return Evidence(stance=stance, says=says, source=source, read_at=seen.read_at, lines=lines)

    def judged(holds: bool, says: str, unless: str, source: str, lines: tuple[str, ...] = ()) -> Evidence:
        return fact(Stance.FOR if holds else Stance.AGAINST, says if holds else unless, source, lines)

    counts = seen.counts
    receipt = seen.claims.receipt or "no receipt of a scoring"
    counted = fact(Stance.FOR, "What stands there now.", "data/evidence and data/scored-runs", counts.told)
    touched = (*(each.told for each in seen.claims.outputs), *seen.claims.unknown)
    moved = tuple(each.told for each in seen.claims.inputs)
    tests = (*seen.scorer.failed, *(f"{each} passes" for each in seen.scorer.passed))
    code = [
        judged(
            bool(seen.files),
            f"The scorer's code differs from {seen.code.tag}.",
            seen.code.trouble or f"The scorer's code is as in {seen.code.tag}.",
            f"git ls-tree {quote(seen.code.tag)} -- pipeline/stages",
            tuple(line for each in seen.files for line in (each.told, *each.diff)),
        )
    ]
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
        NOT_SCORED: (
            counted,
            judged(
                bool(moved),
                "Evidence changed since it was scored.",
                "Evidence is what was scored.",
                receipt,
                moved,
            ),
        ),
        TOUCHED: (
            judged(
                bool(touched),
                "Scored runs are not what the last run wrote.",
                "Scored runs are what the last run wrote.",
                receipt,
                touched,
            ),
        ),
        CHANGED: tuple(code),
        THRESHOLDS: (
            judged(
                bool(seen.thresholds),
                f"[scoring] differs from {seen.settings.tag}.",
                seen.settings.trouble or f"[scoring] is as in {seen.settings.tag}.",
                f"git ls-tree {quote(seen.settings.tag)} -- distill.toml",
                (*(each.told for each in seen.thresholds), *seen.settings.commits),
            ),
        ),
        NO_EVIDENCE: (
            judged(not counts.evidence, "No evidence row.", "There is evidence.", "data/evidence"),
        ),
        NO_SIGNAL: (
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
        "code": [each.model_dump(mode="json", exclude={"diff"}) for each in seen.files],
        "settings": [each.told for each in seen.thresholds],
        "shapes": [each.model_dump(mode="json") for each in seen.silent if each.renames],
    }
