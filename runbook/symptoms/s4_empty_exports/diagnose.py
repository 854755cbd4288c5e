"""S4.empty-exports: run-all came out empty, or would have and was refused."""

from __future__ import annotations

import time
from collections.abc import Mapping
from shlex import quote

from pydantic import JsonValue

from pipeline.contracts import paths
from pipeline.contracts.status import Verdict
from pipeline.platform.lenient_json import text_of
from pipeline.reading.empty_exports import find_empty_export
from runbook.probes.code_history import CODE, ChangedFile, CodeHistory, code_probe, read_code
from runbook.probes.conclusions import concluded, detection_from
from runbook.probes.evidence import Confidence, Detection, Diagnosis, Evidence, ProbeOutput, Stance
from runbook.probes.looks import Probe
from runbook.probes.settings_history import SETTINGS, SettingsHistory, read_settings_history, settings_probe
from runbook.probes.workspace import Workspace
from runbook.symptom import Offer, diagnosed
from runbook.symptoms.offers import RUN_ALL, as_tagged, differing, rerun_offer
from runbook.symptoms.s4_empty_exports import define
from runbook.symptoms.s4_empty_exports.glance import answer_of
from runbook.symptoms.tried_run import TRIED, TriedRun, read_tried, tried_probe

_BY_ZERO = {
    "lines": define.NO_LINES,
    "evidence": define.NO_EVIDENCE,
    "scored": define.NONE_ALLOWED,
    "allowed": define.NONE_ALLOWED,
    "exported": define.NONE_EXPORTED,
}
_SEE = {
    define.NO_LINES: "S1.P0.source-missing",
    define.NO_EVIDENCE: "S1.P2.materialize",
    define.NONE_ALLOWED: "S1.P3.distribution",
    define.FAILS: "ENGINE.wont-start",
}
# Whose code and settings may have made the first zero.
_PHASE = {define.NO_EVIDENCE: "P2", define.NONE_ALLOWED: "P3", define.NONE_EXPORTED: "P4"}
_SECTIONS = {
    define.NO_LINES: ("stream",),
    define.NO_EVIDENCE: ("stream",),
    define.NONE_ALLOWED: ("scoring", "stream"),
}


def detect(workspace: Workspace) -> Detection:
    """By the newest run that exported, or that was refused to."""
    found = find_empty_export(workspace.root)
    facts: dict[str, JsonValue] = {}
    evidence: tuple[Evidence, ...] = ()
    if found is not None:
        facts = {"export": found.export, "earlier_run": found.earlier_run, "refused": found.refused}
        seen_at = found.finished_at or time.time()
        evidence = (Evidence.of(Stance.FOR, found.says, found.source, seen_at),)
    answer = answer_of(found, time.time())
    return detection_from(define.ID, answer, reproduce="distill run-all", evidence=evidence, facts=facts)


def probes(detection: Detection) -> tuple[Probe, ...]:
    # The dearest one last: a wizard that is cut off begins again with the first.
    return (
        code_probe(),
        settings_probe(),
        tried_probe(_export(detection), text_of(detection.facts, "earlier_run")),
    )


def _export(detection: Detection) -> str:
    return str(detection.facts.get("export", "sft"))


def classify(detection: Detection, outputs: Mapping[str, ProbeOutput]) -> Diagnosis:
    tried = read_tried(outputs.get(TRIED), _export(detection))
    code, settings = read_code(outputs.get(CODE)), read_settings_history(outputs.get(SETTINGS))
    read_at = max(output.read_at for output in outputs.values())
    if tried.now is None:
        cause = define.FAILS
    else:
        zero = tried.now.first_zero
        cause = define.OVER if zero is None else _BY_ZERO[zero]
    phase = _PHASE.get(cause)
    files = [each for each in code.files if each.phase == phase or cause == define.FAILS]
    changes = settings.under(*_SECTIONS.get(cause, ("export", "stream")))
    by = f" ({settings.by_whom})" if settings.by_whom else ""
    named = (*(each.told for each in files), *(f"{each.told}{by}" for each in changes))
    return concluded(
        define.CAUSES,
        cause,
        Confidence.LIKELY if cause == define.FAILS else Confidence.CERTAIN,
        {cause: _evidence(tried, code, settings, files, read_at)},
        first=detection.evidence,
        places=(*_places(tried), *(named if cause != define.OVER else ())),
        facts=differing(files, (each.told for each in changes)),
        see=_SEE.get(cause),
    )


def _places(tried: TriedRun) -> tuple[str, ...]:
    """The streams that used to fill it, with how far their rows come now."""
    if tried.now is None:
        return tried.crash[-1:]
    streams = ", ".join(tried.now.streams) or "no stream"
    return (f"{tried.export} from {streams}: {tried.now.told[0]}",)


def _evidence(
    tried: TriedRun,
    code: CodeHistory,
    settings: SettingsHistory,
    files: list[ChangedFile],
    read_at: float,
) -> tuple[Evidence, ...]:
    def fact(stance: Stance, says: str, source: str, lines: tuple[str, ...] = ()) -> Evidence:
        return Evidence.of(stance, says, source, read_at, lines)

    source = "distill run-all --allow-empty, in a copy"
    found = []
    if tried.before is not None:
        found.append(
            fact(Stance.FOR, "What came through in the last good run.", "receipts", tried.before.told)
        )
    if tried.now is None:
        found.append(fact(Stance.FOR, "The run fails.", source, tried.crash))
    else:
        found.append(fact(Stance.FOR, "What comes through now.", source, tried.now.told))
    found.append(
        Evidence.judged(
            bool(files),
            f"{len(files)} files of that phase differ from {code.tag}.",
            "No code of it changed.",
            f"git ls-tree {quote(code.tag)} -- pipeline",
            read_at,
            tuple(line for each in files for line in (each.told, *each.diff)),
            trouble=code.trouble,
        )
    )
    told = tuple(each.told for each in settings.changes)
    found.append(
        Evidence.judged(
            bool(told),
            f"{paths.SETTINGS} differs from {settings.tag}.",
            f"{paths.SETTINGS} is as in {settings.tag}.",
            f"git ls-tree {quote(settings.tag)} -- {paths.SETTINGS}",
            read_at,
            told,
            trouble=settings.trouble,
        )
    )
    return tuple(found)


def offers(detection: Detection, diagnosis: Diagnosis | None) -> tuple[Offer, ...]:
    """What ends in a run that fills the exports; the rest is done in the broken phase's wizard."""
    if diagnosis is None or detection.verdict is not Verdict.DETECTED:
        return ()
    ways = [offer for _, offer in as_tagged(diagnosis, "", "")]
    return (RUN_AGAIN, *ways) if diagnosis.cause.id == define.OVER else tuple(ways)


RUN_AGAIN = rerun_offer(
    "rerun", "Run again", "tried in a copy just now, the run fills every export that had rows", RUN_ALL
)

SYMPTOM = diagnosed(define.DEFINITION, detect=detect, classify=classify, offers=offers, probes=probes)
