"""S4.empty-exports: run-all came out empty, or would have and was refused."""

from __future__ import annotations

import time
from collections.abc import Mapping
from shlex import quote

from pydantic import JsonValue

from pipeline.contracts import paths
from pipeline.contracts.status import Verdict
from pipeline.reading.empty_exports import find_empty_export
from runbook.actions.rerun_stage import plan_rerun
from runbook.change.plan import Draft
from runbook.probes.code_history import PROBE as CODE
from runbook.probes.code_history import ChangedFile, CodeHistory, code_probe, read_code
from runbook.probes.evidence import (
    Cause,
    Confidence,
    Detection,
    Diagnosis,
    Evidence,
    ProbeOutput,
    Stance,
    detection_from,
)
from runbook.probes.settings_history import PROBE as SETTINGS
from runbook.probes.settings_history import SettingsHistory, read_settings_history, settings_probe
from runbook.probes.workspace import Workspace
from runbook.symptom import Answers, Offer, Probe, diagnosed
from runbook.symptoms.s1_p2_materialize.diagnose import RESTORE_SETTINGS, listed, restore_code
from runbook.symptoms.s4_empty_exports.define import (
    CAUSES,
    DEFINITION,
    FAILS,
    ID,
    NO_EVIDENCE,
    NO_LINES,
    NONE_ALLOWED,
    NONE_EXPORTED,
    OVER,
)
from runbook.symptoms.s4_empty_exports.glance import answer_of
from runbook.symptoms.tried_run import PROBE as TRIED
from runbook.symptoms.tried_run import TriedRun, read_tried, tried_probe
from runbook.wizard.planning import Planning

_BY_ZERO = {
    "lines": NO_LINES,
    "evidence": NO_EVIDENCE,
    "scored": NONE_ALLOWED,
    "allowed": NONE_ALLOWED,
    "exported": NONE_EXPORTED,
}
_SEE = {
    NO_LINES: "S1.P0.source-missing",
    NO_EVIDENCE: "S1.P2.materialize",
    NONE_ALLOWED: "S1.P3.distribution",
    FAILS: "ENGINE.wont-start",
}
# Whose code and settings may have made the first zero.
_PHASE = {NO_EVIDENCE: "P2", NONE_ALLOWED: "P3", NONE_EXPORTED: "P4"}
_SECTIONS = {NO_LINES: ("stream",), NO_EVIDENCE: ("stream",), NONE_ALLOWED: ("scoring", "stream")}


def detect(workspace: Workspace) -> Detection:
    """By the newest run that exported, or that was refused to."""
    found = find_empty_export(workspace.root)
    facts: dict[str, JsonValue] = {}
    evidence: tuple[Evidence, ...] = ()
    if found is not None:
        facts = {"export": found.export, "earlier_run": found.earlier_run, "refused": found.refused}
        seen_at = found.finished_at or time.time()
        evidence = (Evidence(stance=Stance.FOR, says=found.says, source=found.source, read_at=seen_at),)
    answer = answer_of(found, time.time())
    return detection_from(ID, answer, reproduce="distill run-all", evidence=evidence, facts=facts)


def probes(detection: Detection) -> tuple[Probe, ...]:
    earlier = detection.facts.get("earlier_run")
    # The dearest one last: a wizard that is cut off begins again with the first.
    return (
        code_probe(),
        settings_probe(),
        tried_probe(_export(detection), earlier if isinstance(earlier, str) else None),
    )


def _export(detection: Detection) -> str:
    return str(detection.facts.get("export", "sft"))


def classify(detection: Detection, outputs: Mapping[str, ProbeOutput]) -> Diagnosis:
    tried = read_tried(outputs.get(TRIED), _export(detection))
    code, settings = read_code(outputs.get(CODE)), read_settings_history(outputs.get(SETTINGS))
    read_at = max(output.read_at for output in outputs.values())
    if tried.now is None:
        cause = FAILS
    else:
        zero = tried.now.first_zero
        cause = OVER if zero is None else _BY_ZERO[zero]
    phase = _PHASE.get(cause)
    files = [each for each in code.files if each.phase == phase or cause == FAILS]
    changes = settings.under(*_SECTIONS.get(cause, ("export", "stream")))
    by = f" ({settings.by_whom})" if settings.by_whom else ""
    named = (*(each.told for each in files), *(f"{each.told}{by}" for each in changes))
    return Diagnosis(
        cause=Cause(
            id=cause,
            sentence=dict(CAUSES)[cause],
            confidence=Confidence.LIKELY if cause == FAILS else Confidence.CERTAIN,
            places=(*_places(tried), *(named if cause != OVER else ())),
            evidence=(*detection.evidence, *_evidence(tried, code, settings, files, read_at)),
        ),
        facts={
            "code": [each.model_dump(mode="json", exclude={"diff"}) for each in files],
            "settings": [each.told for each in changes],
        },
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
        return Evidence(stance=stance, says=says, source=source, read_at=read_at, lines=lines)

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
    lines = tuple(line for each in files for line in (each.told, *each.diff))
    says = f"{len(files)} files of that phase differ from {code.tag}." if files else "No code of it changed."
    stance = Stance.FOR if files else Stance.AGAINST
    if code.trouble:
        stance, says = Stance.UNKNOWN, code.trouble
    found.append(fact(stance, says, f"git ls-tree {quote(code.tag)} -- pipeline", lines))
    told = tuple(each.told for each in settings.changes)
    says = settings.trouble or f"{paths.SETTINGS} {'differs from' if told else 'is as in'} {settings.tag}."
    stance = Stance.UNKNOWN if settings.trouble else Stance.FOR if told else Stance.AGAINST
    found.append(fact(stance, says, f"git ls-tree {quote(settings.tag)} -- {paths.SETTINGS}", told))
    return tuple(found)


def offers(detection: Detection, diagnosis: Diagnosis | None) -> tuple[Offer, ...]:
    """What ends in a run that fills the exports; the rest is done in the broken phase's wizard."""
    if diagnosis is None or detection.verdict is not Verdict.DETECTED:
        return ()
    ways = []
    code = [ChangedFile.model_validate(each) for each in listed(diagnosis, "code")]
    if code:
        ways.append(restore_code(code))
    if listed(diagnosis, "settings"):
        ways.append(RESTORE_SETTINGS)
    if diagnosis.cause.id == OVER:
        ways.insert(0, RUN_AGAIN)
    return tuple(ways)


def _run_again(planning: Planning, _answers: Answers) -> Draft:
    return plan_rerun(planning, "run-all")


RUN_AGAIN = Offer(
    "rerun", "Run again", "tried in a copy just now, the run fills every export that had rows", _run_again
)

SYMPTOM = diagnosed(
    DEFINITION,
    detect=detect,
    classify=classify,
    offers=offers,
    probes=probes,
)
