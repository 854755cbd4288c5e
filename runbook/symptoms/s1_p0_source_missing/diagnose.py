"""S1.P0.source-missing: a stream that the pipeline is fed by has no rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.contracts import paths
from pipeline.contracts.plurals import plural
from pipeline.contracts.status import Verdict
from pipeline.platform.lenient_json import objects_of, texts_of
from runbook.actions.rerun_stage import plan_rerun
from runbook.actions.settings_edit import plan_stream_path
from runbook.actions.source_note import plan_source_notes
from runbook.case import Case
from runbook.change.files import checked
from runbook.change.plan import Draft
from runbook.change.planning import Planning, joined
from runbook.probes.evidence import Cause, Confidence, Detection, Diagnosis, Evidence, Stance
from runbook.probes.looks import Probe, detection_from
from runbook.probes.workspace import Workspace
from runbook.symptom import Answers, Offer, Question, diagnosed
from runbook.symptoms import s1_p0_source_missing as define
from runbook.symptoms.missing_sources import PROBE, Missing, Sought, missing_probe
from runbook.symptoms.s1_p0_source_missing.glance import glance

_NOTE = Question("note", "Why may these rows be missing? The next report quotes it.")


def detect(workspace: Workspace) -> Detection:
    facts = workspace.facts()
    return detection_from(
        define.ID,
        glance(facts),
        reproduce="distill streams check",
        facts={"streams": [*facts.sources.empty_tier_1]},
    )


def classify(case: Case) -> Diagnosis:
    sought = case.found(PROBE, Sought())
    found = sought.missing
    if not found:
        said = case.trouble(PROBE, "The streams that had no rows have rows by now.")
        return case.unknown(define.UNKNOWN, said, "distill.toml", by=PROBE)
    nothing_here = not sought.any_source and not sought.any_run
    causes = [_cause(case, each, nothing_here) for each in found]
    # The stream about which most is known stands for all; the others' places stand with it.
    ranks = list(Confidence)
    first = min(causes, key=lambda each: ranks.index(each.confidence))
    places = (*first.places, *(place for each in causes if each is not first for place in each.places))
    others = tuple(each for each in causes if each is not first and each.id != first.id)
    return Diagnosis(
        cause=first.model_copy(update={"places": places}),
        considered=others,
        facts={"missing": [each.model_dump(mode="json") for each in found]},
    )


def _cause(case: Case, missing: Missing, nothing_here: bool) -> Cause:
    cause, confidence = _judged(missing, nothing_here)
    globs = ", ".join(missing.globs)
    named = [each.path for each in missing.found[:3]] or [globs]
    return Cause(
        id=cause,
        sentence=dict(define.CAUSES)[cause],
        confidence=confidence,
        places=(f"stream {missing.stream}: {globs}", *named),
        evidence=tuple(_evidence(case, missing, cause, globs)),
    )


def _evidence(case: Case, missing: Missing, cause: str, globs: str) -> Iterator[Evidence]:
    """What was found, and whether it speaks for ``cause``."""
    for_it, against, open_ = Stance.FOR, Stance.AGAINST, Stance.UNKNOWN
    if missing.last_run is not None:
        run = f"Run {missing.last_run} read {plural(missing.last_lines, 'line')} of stream {missing.stream}."
        stance = against if cause in (define.FRESH_CLONE, define.WRONG_PATH) else for_it
        yield case.fact(stance, run, str(paths.summary_file(missing.last_run)))
    else:
        once = (define.MOVED, define.ROTATED, define.GONE, define.EMPTIED)
        says = f"No run ever read rows of stream {missing.stream}."
        yield case.fact(against if cause in once else for_it, says, str(paths.REPORTS))
    if missing.empty_files:
        says = "The path finds files, and all are empty."
        yield case.fact(for_it, says, globs, missing.empty_files)
    if missing.tagged_globs:
        says = f"In the last-good tag its path is {', '.join(missing.tagged_globs)}."
        stance = for_it if cause == define.WRONG_PATH else open_
        yield case.fact(stance, says, str(paths.SETTINGS), missing.tagged_finds)
    if same := [each.told for each in missing.found if each.same_bytes]:
        yield case.fact(for_it, "A file holds just the bytes that were read.", globs, same)
    if alike := [each.told for each in missing.found if not each.same_bytes]:
        stance = for_it if cause in (define.WRONG_PATH, define.ROTATED, define.MOVED) else open_
        yield case.fact(stance, "Files that no stream reads have similar names.", globs, alike)
    if not missing.found:
        stance = against if cause == define.WRONG_PATH else for_it
        yield case.fact(stance, "No file that no stream reads looks like it.", globs)


def _judged(missing: Missing, nothing_here: bool) -> tuple[str, Confidence]:
    same = next((each for each in missing.found if each.same_bytes), None)
    if missing.tagged_finds:
        return define.WRONG_PATH, Confidence.CERTAIN
    if same is not None:
        return define.ROTATED if same.is_archive or missing.empty_files else define.MOVED, Confidence.CERTAIN
    if missing.empty_files:
        return define.EMPTIED, Confidence.CERTAIN if missing.last_run else Confidence.LIKELY
    if missing.found:
        return define.ROTATED if missing.found[0].is_archive else define.WRONG_PATH, Confidence.LIKELY
    if missing.last_run is not None:
        return define.GONE, Confidence.LIKELY
    return (define.FRESH_CLONE, Confidence.LIKELY) if nothing_here else (define.UNKNOWN, Confidence.UNKNOWN)


def offers(detection: Detection, diagnosis: Diagnosis) -> tuple[Offer, ...]:
    """Back where it was, another path, or a note: in that order, as far as each is possible."""
    if detection.verdict is not Verdict.DETECTED:
        return ()
    found = [Missing.model_validate(each) for each in objects_of(diagnosis.facts, "missing")]
    ways = []
    for each in found:
        alone = "" if len(found) == 1 else f"-{each.stream}"
        same = next((one for one in each.found if one.same_bytes), None)
        if same is not None and same.was is not None and not same.is_archive and not each.empty_files:
            ways.append(_move_back(f"move-back{alone}", same.path, same.was))
        ways.append(_point(f"point{alone}", each))
    return (*ways, _accept(texts_of(detection.facts, "streams")))


def _move_back(offer_id: str, path: str, was: str) -> Offer:
    def make(planning: Planning, _answers: Answers) -> Draft:
        checked(path)
        step = planning.renamed(path, was, f"Rename {path} back to {was}, where the last run read it.")
        return planning.draft("move_back", f"Move {path} back", [step], undo=f"Rename {was} to {path} again.")

    return Offer(
        offer_id,
        f"Rename {path} back to {was}",
        "its bytes are those that the last run read: every row that was made of them stands",
        make,
    )


def _point(offer_id: str, missing: Missing) -> Offer:
    likely = [*missing.tagged_globs[:1], *(each.path for each in missing.found)]
    question = Question(
        "path",
        f"Which file or glob should stream {missing.stream} read?",
        default=likely[0] if likely else None,
        help="; ".join(likely[:5]) or "relative to the workspace, such as data/_kb/runs*.jsonl",
    )

    def make(planning: Planning, answers: Answers) -> Draft:
        edit = plan_stream_path(planning, missing.stream, answers["path"].strip())
        return joined(f"{edit.plan.title}, then run-all", [edit, plan_rerun(planning, "run-all")])

    return Offer(
        offer_id,
        f"Point stream {missing.stream} at another file",
        "distill.toml is edited, tried in a dry run first, and the outputs are made again",
        make,
        (question,),
    )


def _accept(streams: Sequence[str]) -> Offer:
    return Offer(
        "accept",
        f"Accept that {', '.join(streams)} may have no rows",
        f"a note in {paths.SOURCE_NOTES}, quoted by the next audit; it ends when a run reads such rows again",
        lambda planning, answers: plan_source_notes(planning, streams, answers[_NOTE.id]),
        (_NOTE,),
    )


def probes(detection: Detection) -> tuple[Probe, ...]:
    return (missing_probe(texts_of(detection.facts, "streams")),)


SYMPTOM = diagnosed(define.DEFINITION, detect, classify, offers, probes)
