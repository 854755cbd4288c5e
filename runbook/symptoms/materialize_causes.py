"""PURE: why P2 fails: the lines changed shape, the code that reads them did, the settings did, or a file.

What the lines hold is judged by our own look at one of them, so that a broken transform is not
taken for a changed source.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import JsonValue

from pipeline.contracts.plurals import plural
from runbook.case import Case
from runbook.probes.code_history import ChangedFile
from runbook.probes.evidence import Confidence, Diagnosis, Evidence, Stance
from runbook.symptoms import s1_p2_materialize as define
from runbook.symptoms.claims import StageClaims, claims_in
from runbook.symptoms.offers import differing
from runbook.symptoms.stream_shapes import Shape, Survey, survey_of

STAGE = "materialize"
SOURCE_MISSING = "S1.P0.source-missing"
_SURVEY = "distill streams check"
# What serves every phase can break this one too.
_SHARED = ("pipeline/storage/", "pipeline/settings/", "pipeline/contracts/", "pipeline/engine/")


@dataclass(frozen=True)
class Seen:
    """All that the probes found out. Code and settings are as they differ from the tag."""

    case: Case
    survey: Survey
    claims: StageClaims

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
            for each in self.case.code.files
            if each.phase == "P2" or each.path in self.survey.frames or each.path.startswith(_SHARED)
        ]

    @property
    def code_files(self) -> list[str]:
        return [each.path for each in self.changed_code]

    @property
    def rules(self) -> tuple[str, ...]:
        """Rules of streams that differ."""
        return tuple(each.told for each in self.case.settings.under("stream"))


def diagnose(case: Case) -> Diagnosis:
    """The cause that the evidence carries furthest; what was looked at besides stands with it."""
    seen = Seen(case, survey_of(case), claims_in(case, STAGE))
    cause, confidence, places = _judged(seen)
    evidence = _evidence(seen)
    return case.concluded(
        cause,
        confidence,
        evidence,
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
    if seen.claims.outputs_told:
        return define.TOUCHED, Confidence.CERTAIN, seen.claims.outputs_told
    if seen.claims.inputs:
        return define.REWRITTEN, Confidence.CERTAIN, seen.claims.inputs_told
    if seen.code_files:
        return define.TRANSFORM, Confidence.LIKELY, _code_places(seen)
    if seen.rules:
        return define.SETTING, Confidence.LIKELY, seen.rules
    return define.UNKNOWN, Confidence.UNKNOWN, ()


def _of_a_crash(seen: Seen) -> tuple[str, Confidence, tuple[str, ...]]:
    """The survey itself failed: a traceback, or settings that the engine refuses."""
    if seen.code_files:
        named = set(seen.code_files) & set(seen.survey.frames)
        return define.TRANSFORM, Confidence.CERTAIN if named else Confidence.LIKELY, _code_places(seen)
    if changes := seen.case.settings.changes:
        return define.SETTING, Confidence.LIKELY, tuple(each.told for each in changes)
    return define.UNKNOWN, Confidence.UNKNOWN, seen.survey.frames


def _of_a_stream(seen: Seen, shape: Shape) -> tuple[str, Confidence, tuple[str, ...]]:
    name = f"stream {shape.stream}"
    changes = seen.case.settings.changes
    if setting := [each.told_by for each in changes if each.is_of_stream(shape.stream)]:
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
    case, receipt, told = seen.case, seen.claims.receipt or "no receipt", seen.claims
    found: dict[str, tuple[Evidence, ...]] = {}
    crash = seen.survey.crash
    ended = (case.fact(Stance.FOR, "The engine ended without a survey.", _SURVEY, crash),) if crash else ()
    if ended:
        found[define.TRANSFORM] = ended
    for shape in seen.broken[:1]:
        found |= _of_shape(case, shape)
    chosen, against, tag = seen.changed_code, case.code.against, case.settings.tag
    changed = f"Of the code that reads and maps lines {plural(len(chosen), 'file')} changed since {against}."
    same = f"The code that reads and maps lines is as in {against}."
    found[define.TRANSFORM] = (*ended, case.code_differs(chosen, changed, same))
    rules = case.settings.under("stream")
    differ, as_tagged = f"Rules of streams differ from {tag}.", f"The streams' rules are as in {tag}."
    found[define.SETTING] = (case.settings_differ(rules, differ, as_tagged),)
    other = "Evidence or skips are not what the last run wrote."
    own = "Evidence and skips are what the last run wrote."
    found[define.TOUCHED] = (case.judged(told.outputs_told, other, own, receipt, told.outputs_told),)
    says = f"Sources begin with {'other bytes than' if told.inputs else 'what'} the last run read."
    found[define.REWRITTEN] = (case.judged(told.inputs, says, says, receipt, told.inputs_told),)
    return found


def _of_shape(case: Case, shape: Shape) -> dict[str, tuple[Evidence, ...]]:
    """What a stream's lines hold, and what its rules read of them."""
    rows = f"{plural(shape.lines, 'line')}, {plural(shape.evidence, 'evidence row')}"
    skipped = case.fact(Stance.FOR, f"Stream {shape.stream}: {rows}.", _SURVEY, shape.skips_told)
    if shape.lost_fields:
        skipped = case.fact(Stance.FOR, f"Stream {shape.stream}: {shape.lost_told}.", _SURVEY)
    files = ", ".join(shape.files[:3])
    if not shape.gone:
        here = f"A line has everything that the rules of {shape.stream} read."
        return {
            define.SHAPE: (case.fact(Stance.AGAINST, here, files),),
            define.UNUSABLE: (skipped,),
        }
    appeared = tuple(f"{path} ({plural(count, 'line')})" for path, count in shape.appeared)
    unread = tuple(each.told for each in shape.renames) or appeared
    gone = case.fact(Stance.FOR, f"A line does not have {', '.join(shape.gone)}.", files)
    instead = case.fact(Stance.FOR if unread else Stance.UNKNOWN, "No rule reads these.", _SURVEY, unread)
    return {define.SHAPE: (skipped, gone, instead)}


def _facts(seen: Seen) -> dict[str, JsonValue]:
    """What the offers are made from."""
    return {
        "shapes": [each.model_dump(mode="json") for each in seen.broken if each.renames],
        **differing(seen.changed_code, seen.rules),
    }
