"""S1.P5.summary: the last run's summary is no summary, or its receipts are not what lies on the disk."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from pipeline.contracts import paths
from pipeline.contracts.plurals import with_verb
from pipeline.platform.lenient_json import texts_of
from runbook.actions.quarantine import plan_set_aside
from runbook.actions.repair_code import plan_code_repair
from runbook.actions.rerun_stage import plan_rerun
from runbook.change.plan import Draft
from runbook.change.planning import Planning, joined
from runbook.probes.check_reports import by_checks
from runbook.probes.code_history import CODE, ENGINE, ChangedFile, CodeHistory, code_probe, read_code
from runbook.probes.evidence import Confidence, Detection, Diagnosis, Evidence, ProbeOutput, Stance
from runbook.probes.looks import Probe, concluded, found_by
from runbook.symptom import Answers, Offer, diagnosed
from runbook.symptoms import s1_p5_summary as define
from runbook.symptoms.code_evidence import code_evidence, named, restoring, to_restore
from runbook.symptoms.offers import tag_offer
from runbook.symptoms.run_claims import PROBE, Differing, RunClaims, claims_probe
from runbook.symptoms.s1_p5_summary.glance import glance

_OF_SETTINGS = "the settings that touch rows are not those of the run"
_BAD = re.compile(rf"({paths.REPORTS}/[^/\s]+/summary\.json) (.*)")
# A harness is what writes these documents, and what decides whether they are valid.
_HARNESS_SCHEMAS = ("run_summary.py", "receipt.py", "parts.py", "validators.py")
_TOML = str(paths.SETTINGS)
detect, rerun = by_checks(define.ID, (define.SUMMARY, define.RECEIPTS), glance)


def classify(detection: Detection, outputs: Mapping[str, ProbeOutput]) -> Diagnosis:
    claims = found_by(outputs.get(PROBE), RunClaims) or RunClaims(pipeline_run_id=None)
    history = read_code(outputs.get(CODE))
    read_at = outputs[PROBE].read_at if PROBE in outputs else detection.read_at
    code = tuple(each for each in history.files if _is_harness(each))
    lines = [line for each in detection.evidence for line in each.lines]
    bad: dict[str, str] = {}
    for match in filter(None, map(_BAD.match, lines)):
        bad.setdefault(match[1], match[2])
    cause_id, confidence = _judged(claims, code, lines, history)
    evidence = _evidence(claims, code, lines, history, read_at)
    differing = claims.differing if cause_id in (define.FILE, define.SOURCES, define.STAGE_ALONE) else ()
    toml = any(each.path == _TOML and each.kind != "added" for each in history.files)
    facts: dict[str, JsonValue] = {
        **restoring(code if cause_id == define.HARNESS else ()),
        "bad": [*bad] if define.SUMMARY in texts_of(detection.facts, "checks") else [],
        "settings_differ": toml,
    }
    return concluded(
        define.CAUSES,
        cause_id,
        confidence,
        evidence,
        first=detection.evidence,
        places=(
            *(f"{path}: {says}" for path, says in bad.items()),
            *(f"{each.path}: {each.says}, last written {each.last_written}" for each in differing),
            *(each.told for each in (code if cause_id == define.HARNESS else ())),
        ),
        aside=(define.FILE, define.HARNESS, define.SETTINGS, define.SOURCES),
        facts=facts,
    )


def _is_harness(file: ChangedFile) -> bool:
    in_schemas = file.path.startswith(f"{ENGINE}/schemas/") and file.path.endswith(_HARNESS_SCHEMAS)
    return file.phase == "P5" or in_schemas or file.path.startswith(f"{ENGINE}/audit/p5_")


def _judged(
    claims: RunClaims, code: Sequence[ChangedFile], lines: Sequence[str], history: CodeHistory
) -> tuple[str, Confidence]:
    """What a pinned file itself says goes before any changed code."""
    touched = claims.of("summary", "receipt", "output")
    if touched:
        return define.FILE, Confidence.CERTAIN
    if claims.of("source"):
        return define.SOURCES, Confidence.CERTAIN
    if any(_OF_SETTINGS in line for line in lines):
        return define.SETTINGS, Confidence.CERTAIN if not code else Confidence.LIKELY
    if code:
        sure = claims.summary_is_pinned and history.source == "workspace"
        return define.HARNESS, Confidence.CERTAIN if sure else Confidence.LIKELY
    if claims.of("unclaimed"):
        return define.STAGE_ALONE, Confidence.CERTAIN
    return define.UNKNOWN, Confidence.UNKNOWN


def _evidence(
    claims: RunClaims,
    code: Sequence[ChangedFile],
    lines: Sequence[str],
    history: CodeHistory,
    read_at: float,
) -> dict[str, tuple[Evidence, ...]]:
    """For each cause what speaks for and against it."""
    source = f"{paths.REPORTS}/{claims.pipeline_run_id}"

    def fact(stance: Stance, says: str) -> Evidence:
        return Evidence.of(stance, says, source, read_at)

    def files(found: tuple[Differing, ...], otherwise: str) -> tuple[Evidence, ...]:
        told = tuple(
            Evidence(
                stance=Stance.FOR,
                says=f"{each.path} {each.says}.",
                source=each.pinned_by,
                read_at=read_at,
                lines=(f"last written {each.last_written}; the run ended {claims.finished_at}",),
            )
            for each in found
        )
        return told or (fact(Stance.AGAINST, otherwise),)

    if claims.pipeline_run_id is None:
        return dict.fromkeys(dict(define.CAUSES), (fact(Stance.UNKNOWN, "No run's claims could be read."),))
    what = "All code that writes or checks summaries and receipts"
    harness = code_evidence(history, code, what, read_at)
    moved = [line for line in lines if _OF_SETTINGS in line]
    kept = fact(Stance.AGAINST, "The settings that touch rows are those of the run.")
    whole = f"All {with_verb(claims.examined, 'file', 'is/are', 'what was pinned')}."
    by_file = files(claims.of("summary", "receipt", "output"), whole)
    return {
        define.FILE: by_file,
        define.HARNESS: (*harness, *(each.turned for each in by_file)),
        define.SETTINGS: tuple(fact(Stance.FOR, line) for line in moved) or (kept,),
        define.SOURCES: files(claims.of("source"), "Every source begins with the bytes that were read."),
        define.STAGE_ALONE: files(claims.of("unclaimed"), "Receipts claim every export."),
        define.UNKNOWN: (*harness, fact(Stance.FOR, whole)),
    }


def offers(_detection: Detection, diagnosis: Diagnosis | None) -> tuple[Offer, ...]:
    """A new run, after whatever was wrong is back; a summary that is none goes out of its way."""
    if diagnosis is None or not diagnosis.is_known:
        return ()
    bad = texts_of(diagnosis.facts, "bad")
    code = to_restore(diagnosis)
    if code:
        return (_repair(code, bad),)
    again = _run_again(bad)
    if diagnosis.cause.id == define.SETTINGS and diagnosis.facts.get("settings_differ"):
        return (again, RESTORE_SETTINGS)
    return (again,)


def _aside(planning: Planning, bad: Sequence[str]) -> list[Draft]:
    why = "it is no summary that anybody can rely on"
    return [plan_set_aside(planning, path, why) for path in bad if not planning.state(path).is_absent]


def _repair(code: Sequence[ChangedFile], bad: Sequence[str]) -> Offer:
    def make(planning: Planning, _answers: Answers) -> Draft:
        repair = plan_code_repair(planning, code, [("run-all",)])
        if not planning.workspace.runs_own_engine:
            return repair
        return joined(f"Restore {named(code)} and run again", [*_aside(planning, bad), repair])

    return Offer(
        "repair",
        f"Restore {named(code)} from the last-good tag and run again",
        "whatever it writes until then is as doubtful as this",
        make,
    )


def _run_again(bad: Sequence[str]) -> Offer:
    title = "Set the bad summary aside and run again" if bad else "Run again"

    def make(planning: Planning, _answers: Answers) -> Draft:
        return joined(title, [*_aside(planning, bad), plan_rerun(planning, "run-all")])

    return Offer(
        "run-again",
        title,
        "a run replaces what differs from its receipt, and writes a summary and receipts that match",
        make,
    )


RESTORE_SETTINGS = tag_offer(
    [_TOML],
    "Restore distill.toml from the last-good tag",
    "where the change was not meant; outputs and claims are then those of the settings again",
    offer_id="restore-settings",
)


def probes(_detection: Detection) -> tuple[Probe, ...]:
    return (claims_probe(), code_probe((ENGINE, _TOML)))


SYMPTOM = diagnosed(define.DEFINITION, detect, classify, offers, probes, rerun)
