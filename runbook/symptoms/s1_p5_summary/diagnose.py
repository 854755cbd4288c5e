"""S1.P5.summary: the last run's summary is no summary, or its receipts are not what lies on the disk."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pipeline.contracts import paths
from pipeline.contracts.plurals import with_verb
from pipeline.platform.lenient_json import texts_of
from runbook.actions.quarantine import plan_set_aside
from runbook.case import Case
from runbook.change.plan import Draft
from runbook.change.planning import Planning
from runbook.probes.check_reports import by_checks
from runbook.probes.code_history import ENGINE, ChangedFile, code_probe
from runbook.probes.evidence import Confidence, Detection, Diagnosis, Evidence, Stance
from runbook.symptom import Offer, diagnosed
from runbook.symptoms import s1_p5_summary as define
from runbook.symptoms.offers import RUN_ALL, code_offer, named, rerun_offer, restoring, tag_offer, to_restore
from runbook.symptoms.run_claims import PROBE, Differing, RunClaims, claims_probe
from runbook.symptoms.s1_p5_summary.glance import glance

_OF_SETTINGS = "the settings that touch rows are not those of the run"
_BAD = re.compile(rf"({paths.REPORTS}/[^/\s]+/summary\.json) (.*)")
# A harness is what writes these documents, and what decides whether they are valid.
_HARNESS_SCHEMAS = ("run_summary.py", "receipt.py", "parts.py", "validators.py")
_TOML = str(paths.SETTINGS)
detect, rerun = by_checks(define.ID, (define.SUMMARY, define.RECEIPTS), glance)


def classify(case: Case) -> Diagnosis:
    claims = case.found(PROBE, RunClaims(pipeline_run_id=None))
    code = tuple(each for each in case.code.files if _is_harness(each))
    lines = [line for each in case.detection.evidence for line in each.lines]
    bad: dict[str, str] = {}
    for match in filter(None, map(_BAD.match, lines)):
        bad.setdefault(match[1], match[2])
    cause_id, confidence = _judged(case, claims, code, lines)
    differing = claims.differing if cause_id in (define.FILE, define.SOURCES, define.STAGE_ALONE) else ()
    harness = code if cause_id == define.HARNESS else ()
    return case.concluded(
        cause_id,
        confidence,
        _evidence(case, claims, code, lines),
        places=(
            *(f"{path}: {says}" for path, says in bad.items()),
            *(f"{each.path}: {each.says}, last written {each.last_written}" for each in differing),
            *(each.told for each in harness),
        ),
        aside=(define.FILE, define.HARNESS, define.SETTINGS, define.SOURCES),
        facts={
            **restoring(harness),
            "bad": [*bad] if define.SUMMARY in texts_of(case.detection.facts, "checks") else [],
            "settings_differ": any(each.path == _TOML and each.kind != "added" for each in case.code.files),
        },
    )


def _is_harness(file: ChangedFile) -> bool:
    in_schemas = file.path.startswith(f"{ENGINE}/schemas/") and file.path.endswith(_HARNESS_SCHEMAS)
    return file.phase == "P5" or in_schemas or file.path.startswith(f"{ENGINE}/audit/p5_")


def _judged(
    case: Case, claims: RunClaims, code: Sequence[ChangedFile], lines: Sequence[str]
) -> tuple[str, Confidence]:
    """What a pinned file itself says goes before any changed code."""
    if claims.of("summary", "receipt", "output"):
        return define.FILE, Confidence.CERTAIN
    if claims.of("source"):
        return define.SOURCES, Confidence.CERTAIN
    if any(_OF_SETTINGS in line for line in lines):
        return define.SETTINGS, Confidence.CERTAIN if not code else Confidence.LIKELY
    if code:
        sure = claims.summary_is_pinned and case.code.source == "workspace"
        return define.HARNESS, Confidence.CERTAIN if sure else Confidence.LIKELY
    if claims.of("unclaimed"):
        return define.STAGE_ALONE, Confidence.CERTAIN
    return define.UNKNOWN, Confidence.UNKNOWN


def _evidence(
    case: Case, claims: RunClaims, code: Sequence[ChangedFile], lines: Sequence[str]
) -> dict[str, tuple[Evidence, ...]]:
    """For each cause what speaks for and against it."""
    source = f"{paths.REPORTS}/{claims.pipeline_run_id}"

    def fact(stance: Stance, says: str) -> Evidence:
        return case.fact(stance, says, source, by=PROBE)

    def files(found: tuple[Differing, ...], otherwise: str) -> tuple[Evidence, ...]:
        ended = f"the run ended {claims.finished_at}"
        told = tuple(
            case.fact(
                Stance.FOR,
                f"{each.path} {each.says}.",
                each.pinned_by,
                [f"last written {each.last_written}; {ended}"],
                by=PROBE,
            )
            for each in found
        )
        return told or (fact(Stance.AGAINST, otherwise),)

    if claims.pipeline_run_id is None:
        return dict.fromkeys(dict(define.CAUSES), (fact(Stance.UNKNOWN, "No run's claims could be read."),))
    harness = case.code_facts(code, "All code that writes or checks summaries and receipts")
    moved = tuple(fact(Stance.FOR, line) for line in lines if _OF_SETTINGS in line)
    kept = fact(Stance.AGAINST, "The settings that touch rows are those of the run.")
    whole = f"All {with_verb(claims.examined, 'file', 'is/are', 'what was pinned')}."
    by_file = files(claims.of("summary", "receipt", "output"), whole)
    return {
        define.FILE: by_file,
        define.HARNESS: (*harness, *(each.turned for each in by_file)),
        define.SETTINGS: moved or (kept,),
        define.SOURCES: files(claims.of("source"), "Every source begins with the bytes that were read."),
        define.STAGE_ALONE: files(claims.of("unclaimed"), "Receipts claim every export."),
        define.UNKNOWN: (*harness, fact(Stance.FOR, whole)),
    }


def offers(_detection: Detection, diagnosis: Diagnosis) -> Iterator[Offer]:
    """A new run, after whatever was wrong is back; a summary that is none goes out of its way."""
    bad = texts_of(diagnosis.facts, "bad")

    def aside(planning: Planning) -> list[Draft]:
        why = "it is no summary that anybody can rely on"
        return [plan_set_aside(planning, path, why) for path in bad if not planning.state(path).is_absent]

    if not diagnosis.is_known:
        return
    if code := to_restore(diagnosis):
        yield code_offer(
            code,
            f"Restore {named(code)} from the last-good tag and run again",
            "whatever it writes until then is as doubtful as this",
            offer_id="repair",
            then=[(RUN_ALL,)],
            first=aside,
            plan_title=f"Restore {named(code)} and run again",
        )
        return
    title = "Set the bad summary aside and run again" if bad else "Run again"
    why = "a run replaces what differs from its receipt, and writes a summary and receipts that match"
    yield rerun_offer("run-again", title, why, RUN_ALL, first=aside, plan_title=title)
    if diagnosis.cause.id == define.SETTINGS and diagnosis.facts.get("settings_differ"):
        yield RESTORE_SETTINGS


RESTORE_SETTINGS = tag_offer(
    [_TOML],
    "Restore distill.toml from the last-good tag",
    "where the change was not meant; outputs and claims are then those of the settings again",
    offer_id="restore-settings",
)
PROBES = (claims_probe(), code_probe((ENGINE, _TOML)))
SYMPTOM = diagnosed(define.DEFINITION, detect, classify, offers, PROBES, rerun=rerun)
