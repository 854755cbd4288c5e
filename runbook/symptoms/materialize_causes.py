"""PURE: why P2 fails: the lines changed shape, the code that reads them did, the settings did, or a file.

What the lines hold is judged by our own look at one of them, so that a broken transform is not
taken for a changed source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from pipeline.contracts.plurals import plural
from runbook.probes.code_history import CODE, ChangedFile, CodeHistory, read_code
from runbook.probes.evidence import Confidence, Detection, Diagnosis, Evidence, ProbeOutput, Stance
from runbook.probes.looks import concluded, found_by
from runbook.probes.settings_history import SETTINGS, SettingsHistory, read_settings_history
from runbook.symptoms import s1_p2_materialize as define
from runbook.symptoms.code_evidence import files_differ, settings_differ
from runbook.symptoms.offers import differing
from runbook.symptoms.stage_claims import StageClaims, probe_id
from runbook.symptoms.stream_shapes import STREAMS, Shape, Survey, read_survey

STAGE = "materialize"
SOURCE_MISSING = "S1.P0.source-missing"
# What serves every phase can break this one too.
_SHARED = ("pipeline/storage/", "pipeline/settings/", "pipeline/contracts/", "pipeline/engine/")


@dataclass(frozen=True)
class Seen:
    """All that the probes found out. ``code`` and ``settings`` are as they differ from the tag."""

    survey: Survey
    code: CodeHistory
    settings: SettingsHistory
    claims: StageClaims
    read_at: float

    @property
    def broken(self) -> list[Shape]:
        """Streams that yield nothing, those that lost a field, and those whose file was rewritten without
        names that rules read."""
        rewritten = {each.path for each in self.claims.inputs}
        others = [each for each in self.survey.shapes if not each.yields_nothing]
        lost = sorted((each for each in others if each.lost_fields), key=lambda each: each.tier)
        return [
            *self.survey.broken(),
            *lost,
            *(each for each in others if each not in lost and each.gone and rewritten & set(each.files)),
        ]

    @property
    def changed_code(self) -> list[ChangedFile]:
        return [
            each
            for each in self.code.files
            if each.phase == "P2" or each.path in self.survey.frames or each.path.startswith(_SHARED)
        ]

    @property
    def code_files(self) -> list[str]:
        return [each.path for each in self.changed_code]

    def settings_of(self, stream: str) -> list[str]:
        return [each.told_by for each in self.settings.changes if each.is_of_stream(stream)]


def seen_in(outputs: Mapping[str, ProbeOutput]) -> Seen:
    return Seen(
        read_survey(outputs.get(STREAMS)),
        read_code(outputs.get(CODE)),
        read_settings_history(outputs.get(SETTINGS)),
        found_by(outputs.get(probe_id(STAGE)), StageClaims) or StageClaims(stage=STAGE),
        max((output.read_at for output in outputs.values()), default=0.0),
    )


def diagnose(detection: Detection, seen: Seen) -> Diagnosis:
    """The cause that the evidence carries furthest; what was looked at besides stands with it."""
    cause, confidence, places = _judged(seen)
    evidence = _evidence(seen)
    return concluded(
        define.CAUSES,
        cause,
        confidence,
        evidence,
        first=detection.evidence,
        places=places,
        aside=[other for other, facts in evidence.items() if facts],
        facts=_facts(seen),
        see=SOURCE_MISSING if cause == define.EMPTY else None,
    )


def _judged(seen: Seen) -> tuple[str, Confidence, tuple[str, ...]]:
    if not seen.survey.shapes:
        return _of_a_crash(seen)
    if not seen.survey.lines:
        return define.EMPTY, Confidence.CERTAIN, tuple(each.stream for each in seen.survey.shapes)
    if seen.broken:
        return _of_a_stream(seen, seen.broken[0])
    if seen.claims.outputs or seen.claims.unknown:
        files = (*(each.told for each in seen.claims.outputs), *seen.claims.unknown)
        return define.TOUCHED, Confidence.CERTAIN, files
    if seen.claims.inputs:
        return define.REWRITTEN, Confidence.CERTAIN, tuple(each.told for each in seen.claims.inputs)
    if seen.code_files:
        return define.TRANSFORM, Confidence.LIKELY, _code_places(seen)
    if seen.settings.under("stream"):
        return define.SETTING, Confidence.LIKELY, tuple(each.told for each in seen.settings.under("stream"))
    return define.UNKNOWN, Confidence.UNKNOWN, ()


def _of_a_crash(seen: Seen) -> tuple[str, Confidence, tuple[str, ...]]:
    """The survey itself failed: a traceback, or settings that the engine refuses."""
    if seen.code_files:
        named = set(seen.code_files) & set(seen.survey.frames)
        return define.TRANSFORM, Confidence.CERTAIN if named else Confidence.LIKELY, _code_places(seen)
    if seen.settings.changes:
        places = tuple(each.told for each in seen.settings.changes)
        return define.SETTING, Confidence.LIKELY, places
    return define.UNKNOWN, Confidence.UNKNOWN, seen.survey.frames


def _of_a_stream(seen: Seen, shape: Shape) -> tuple[str, Confidence, tuple[str, ...]]:
    name = f"stream {shape.stream}"
    setting = seen.settings_of(shape.stream)
    if setting:
        return define.SETTING, Confidence.CERTAIN, (name, *setting)
    if shape.gone:
        told = [each.told for found in shape.best().values() for each in found[:1]]
        fields = (f"{name}: no line has {', '.join(shape.gone)}", *told, *shape.files[:3])
        certain = bool(told) and not seen.code_files
        return define.SHAPE, Confidence.CERTAIN if certain else Confidence.LIKELY, fields
    if seen.code_files:
        # The lines have what the rules read, and the engine does not find it or cannot use it.
        return define.TRANSFORM, Confidence.CERTAIN, (*_code_places(seen), name)
    if shape.lost_fields:
        # A rule without a plain path: what it reads cannot be looked for by name.
        return define.SHAPE, Confidence.LIKELY, (f"{name}: {shape.lost_told}", *shape.files[:3])
    if shape.skips_told:
        return define.UNUSABLE, Confidence.LIKELY, (name, *shape.skips_told[:3], *shape.files[:3])
    return define.UNKNOWN, Confidence.UNKNOWN, (name,)


def _code_places(seen: Seen) -> tuple[str, ...]:
    """Files that the traceback names come first."""
    frames = seen.survey.frames
    chosen = sorted(
        seen.changed_code, key=lambda each: (each.path not in frames, each.phase != "P2", each.path)
    )
    return tuple(each.told for each in chosen)


def _evidence(seen: Seen) -> dict[str, tuple[Evidence, ...]]:
    """For each cause what speaks for it and against it."""

    def fact(stance: Stance, says: str, source: str, lines: tuple[str, ...] = ()) -> Evidence:
        return Evidence.of(stance, says, source, seen.read_at, lines)

    survey, found = "distill streams check", dict[str, tuple[Evidence, ...]]()
    if seen.survey.crash:
        found[define.TRANSFORM] = (
            fact(Stance.FOR, "The engine ended without a survey.", survey, seen.survey.crash),
        )
    for shape in seen.broken[:1]:
        name = (
            f"Stream {shape.stream}: {plural(shape.lines, 'line')}, {plural(shape.evidence, 'evidence row')}."
        )
        skipped = fact(Stance.FOR, name, survey, shape.skips_told)
        if shape.lost_fields:
            skipped = fact(Stance.FOR, f"Stream {shape.stream}: {shape.lost_told}.", survey)
        if shape.gone:
            appeared = tuple(f"{path} ({plural(count, 'line')})" for path, count in shape.appeared)
            told = tuple(each.told for each in shape.renames) or appeared
            found[define.SHAPE] = (
                skipped,
                fact(
                    Stance.FOR, f"A line does not have {', '.join(shape.gone)}.", ", ".join(shape.files[:3])
                ),
                fact(
                    Stance.FOR if told else Stance.UNKNOWN, "No rule reads these.", survey, told or appeared
                ),
            )
        else:
            here = f"A line has everything that the rules of {shape.stream} read."
            found[define.SHAPE] = (fact(Stance.AGAINST, here, ", ".join(shape.files[:3])),)
            found[define.UNUSABLE] = (skipped,)
    chosen, code = seen.changed_code, seen.code
    differ = files_differ(
        code,
        chosen,
        f"Of the code that reads and maps lines {plural(len(chosen), 'file')} changed since {code.against}.",
        f"The code that reads and maps lines is as in {code.against}.",
        seen.read_at,
    )
    found[define.TRANSFORM] = (*found.get(define.TRANSFORM, ()), differ)
    found[define.SETTING] = (
        settings_differ(
            seen.settings,
            seen.settings.under("stream"),
            f"Rules of streams differ from {seen.settings.tag}.",
            f"The streams' rules are as in {seen.settings.tag}.",
            seen.read_at,
        ),
    )
    receipt = seen.claims.receipt or "no receipt"
    wrote = tuple(each.told for each in seen.claims.outputs) + seen.claims.unknown
    found[define.TOUCHED] = (
        Evidence.judged(
            bool(wrote),
            "Evidence or skips are not what the last run wrote.",
            "Evidence and skips are what the last run wrote.",
            receipt,
            seen.read_at,
            wrote,
        ),
    )
    read = tuple(each.told for each in seen.claims.inputs)
    says = f"Sources begin with {'other bytes than' if read else 'what'} the last run read."
    found[define.REWRITTEN] = (Evidence.judged(bool(read), says, says, receipt, seen.read_at, read),)
    return found


def _facts(seen: Seen) -> dict[str, JsonValue]:
    """What the offers are made from."""
    return {
        "shapes": [each.model_dump(mode="json") for each in seen.broken if each.renames],
        **differing(seen.changed_code, (each.told for each in seen.settings.under("stream"))),
    }
