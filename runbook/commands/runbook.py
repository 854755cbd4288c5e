"""``distill runbook list|detect|diagnose|plan|apply|resume|lint``: the wizards without a screen."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.contracts.faults import ExitCode, StorageError
from pipeline.contracts.status import Verdict
from pipeline.contracts.symptoms import ByHand
from pipeline.contracts.untrusted import visible
from pipeline.platform.drawing import Progress
from pipeline.platform.voice import Voice
from pipeline.reading.durations import age_in_words, took_in_words
from pipeline.reading.symptom_answers import not_evaluated, tally
from runbook.actions.repair_code import reinstall_command
from runbook.change.refusals import refused
from runbook.probes.evidence import Detection, Diagnosis, ProbeOutput
from runbook.probes.workspace import Workspace
from runbook.symptom import Symptom
from runbook.wizard.detecting import Found, detect_all, detect_one, exit_code, keep

if TYPE_CHECKING:
    from runbook.wizard.driver import Driver


def run(arguments: argparse.Namespace, voice: Voice) -> int:
    action = arguments.action
    if action in ("list", "lint"):
        return _about_itself(action, voice)
    root = voice.workspace
    if action == "apply":
        if not arguments.plan:
            raise refused("no_plan", "No plan was named.", "distill runbook apply --plan HASH …")
        from runbook.commands.consenting import apply_by_hash

        return apply_by_hash(root, arguments, voice)
    if action == "resume":
        return _resume(root, arguments, voice)
    from runbook.symptoms import SYMPTOMS

    workspace = Workspace(root)
    if action == "detect":
        return _detect(workspace, SYMPTOMS, arguments.full, voice)
    symptom = _named(SYMPTOMS, arguments.subject)
    if action == "diagnose":
        return _diagnose(workspace, symptom, voice)
    if action == "open":
        return _converse(_driver(root, symptom), arguments, voice)
    return _plan(root, symptom, arguments, voice)


def _about_itself(action: str, voice: Voice) -> int:
    """What needs no workspace."""
    from runbook.symptoms import SYMPTOMS
    from runbook.tell.pages import lint

    return _list(SYMPTOMS, voice) if action == "list" else _lint(lint(SYMPTOMS, voice.commands), voice)


def _named(symptoms: tuple[Symptom, ...], subject: str | None) -> Symptom:
    found = [each for each in symptoms if subject and each.id.lower() == subject.lower()]
    if not found:
        what = f"There is no symptom {subject}." if subject else "No symptom was named."
        raise refused("no_symptom", what, "See all of them: distill runbook list")
    return found[0]


def _list(symptoms: tuple[Symptom, ...], voice: Voice) -> int:
    if voice.json:
        voice.out_json({"symptoms": [_definition(each, None) for each in symptoms]})
    else:
        cells = [[each.id, each.severity, each.title] for each in symptoms]
        voice.table(("symptom", "severity", "what is wrong"), cells)
    return ExitCode.OK


def _detect(workspace: Workspace, symptoms: tuple[Symptom, ...], full: bool, voice: Voice) -> int:
    progress = Progress()
    began = time.monotonic()

    def tell(at_work: str, done: int, total: int) -> None:
        lasted = took_in_words(time.monotonic() - began)
        progress.show("detectors", f"{done} of {total} · {lasted} · {at_work}", done, total)

    found = detect_all(workspace, symptoms, full=full, tell=tell)
    progress.erase()
    try:
        found = keep(workspace.root, found)
    except StorageError as error:
        voice.note(f"not kept for others to see: {error.fault.what_happened}")
    now = time.time()
    code = exit_code(found, now)
    if voice.json:
        tag = workspace.last_good_tag
        symptoms_found = [_found_data(each, tag, own_engine=workspace.runs_own_engine) for each in found]
        voice.out_json({"at": now, "symptoms": symptoms_found, "exit_code": code})
        return code
    raised = [each for each in found if each.is_raised]
    for each in sorted(raised, key=lambda one: one.beneath is not None):
        indent = "   └ " if each.beneath else ""
        beneath = f"  (explained by {each.beneath})" if each.beneath else ""
        voice.out(
            f"{indent}{each.symptom.id:<22} {each.symptom.severity:<9} "
            f"{visible(each.detection.observed, 300)}{beneath}"
        )
        voice.out(f"{indent}{'':<22} {_age(each.detection)}; open: distill runbook open {each.symptom.id}")
    answers = [each.detection.answer for each in found]
    for said in not_evaluated(answers, now):
        voice.note(visible(said, 600))
    looked = tally([each.symptom for each in found], answers, now).in_words(now)
    if raised:
        voice.note(looked)
    else:
        voice.out(f"0 symptoms · {looked}")
    return code


def _age(detection: Detection) -> str:
    age = detection.age_seconds(detection.read_at)
    told = "age not known" if age is None else f"{age_in_words(age)} old"
    if detection.source != "live":
        return f"from {visible(detection.source)}, {told}"
    return f"seen by an earlier look, {told}" if detection.stale else "seen just now"


def _of_installed(lines: Sequence[ByHand]) -> Iterator[ByHand]:
    """The lines where the engine is installed: no file of it is here, and it is repaired by pip."""
    is_told = False
    for each in lines:
        left = each.without_engine()
        if left is not None:
            yield left
        elif not is_told:
            is_told = True
            yield ByHand(
                "The engine is an installed one: install the same version again.", reinstall_command()
            )


def _definition(symptom: Symptom, tag: str | None, *, own_engine: bool = True) -> dict[str, Any]:
    """Its page as data, for whoever shows it in another way; commands name ``tag``, if one is known."""
    return {
        "id": symptom.id,
        "severity": str(symptom.severity),
        "title": symptom.title,
        "what_you_see": symptom.what_you_see,
        "why": symptom.why,
        "phases": list(symptom.phases),
        "checks": list(symptom.checks),
        "live": symptom.live,
        "explained_by": list(symptom.explained_by),
        "causes": [{"id": cause, "sentence": sentence} for cause, sentence in symptom.causes],
        "by_hand": [
            {"says": each.says, "command": each.command_for(tag) if tag else each.command}
            for each in (symptom.by_hand if own_engine else _of_installed(symptom.by_hand))
        ],
    }


def _found_data(found: Found, tag: str, *, own_engine: bool) -> dict[str, Any]:
    detection = found.detection
    return {
        **_definition(found.symptom, tag, own_engine=own_engine),
        "verdict": str(detection.verdict),
        "observed": detection.observed,
        "beneath": found.beneath,
        "source": detection.source,
        "as_of": detection.as_of,
        "since": found.since,
        "stale": detection.stale,
        "nothing_yet": detection.nothing_yet,
        "by_glance": detection.by_glance,
        "contained": detection.contained,
        "age_seconds": detection.age_seconds(detection.read_at),
        "reproduce": detection.reproduce,
        "next_step": f"distill runbook open {found.symptom.id}" if found.is_raised else "",
    }


def _diagnose(workspace: Workspace, symptom: Symptom, voice: Voice) -> int:
    from runbook.wizard.diagnosing import diagnose_only
    from runbook.wizard.prompts import show_diagnosis

    workspace.tell = lambda words: voice.note(f"… {words}")
    detection = detect_one(workspace, symptom)
    if detection.verdict is Verdict.CLEAR:
        voice.note(f"{symptom.id} is not detected: {visible(detection.observed, 300)}")
    outputs, diagnosis = diagnose_only(workspace, symptom, detection)
    if voice.json:
        voice.out_json(diagnosis_data(symptom, detection, outputs, diagnosis))
    else:
        voice.out(f"{symptom.id} {symptom.severity}: {visible(detection.observed, 300)}")
        show_diagnosis(diagnosis, voice)
        for offer in symptom.offers(detection, diagnosis):
            voice.out(f"offer {offer.id}: {visible(offer.title)} ({visible(offer.why)})")
    if detection.verdict is Verdict.DETECTED:
        return ExitCode.CHECK_FAILED
    return ExitCode.OK if detection.verdict is Verdict.CLEAR else ExitCode.NOT_EVALUATED


def diagnosis_data(
    symptom: Symptom, detection: Detection, outputs: Mapping[str, ProbeOutput], diagnosis: Diagnosis
) -> dict[str, Any]:
    """What ``diagnose --json`` prints."""
    return {
        "symptom_id": symptom.id,
        "detection": detection.model_dump(mode="json"),
        "diagnosis": diagnosis.model_dump(mode="json"),
        "probes": [output.model_dump(mode="json") for output in outputs.values()],
        "offers": [
            {"id": offer.id, "title": offer.title, "why": offer.why}
            for offer in symptom.offers(detection, diagnosis)
        ],
    }


def _plan(root: Path, symptom: Symptom, arguments: argparse.Namespace, voice: Voice) -> int:
    from runbook.commands.consenting import preview_or_ask

    given = arguments.incident
    driver = _driver_of(root, given) if given else _driver(root, symptom)
    answers = dict(each.partition("=")[::2] for each in arguments.answer)
    driver.workspace.tell = lambda words: voice.note(f"… {words}")
    with driver.acting():
        driver.plan(arguments.offer, answers)
    return preview_or_ask(driver, arguments, voice)


def _driver(root: Path, symptom: Symptom) -> Driver:
    from runbook.wizard.driver import Driver

    return Driver(Workspace(root), symptom, argv=["distill", "runbook", "open", symptom.id])


def _driver_of(root: Path, incident_id: str) -> Driver:
    from runbook.change.incident import load_incident
    from runbook.wizard.driver import Driver
    from runbook.worker import symptoms_for

    return Driver.of_incident(root, incident_id, symptoms_for(load_incident(root, incident_id)))


def _resume(root: Path, arguments: argparse.Namespace, voice: Voice) -> int:
    if not arguments.subject:
        raise refused("no_incident", "No incident was named.", "See all of them: distill incident list")
    return _converse(_driver_of(root, arguments.subject), arguments, voice)


def _converse(driver: Driver, arguments: argparse.Namespace, voice: Voice) -> int:
    from runbook.wizard.prompts import converse

    return converse(driver, voice, who=arguments.approve_as, reason=arguments.reason)


def _lint(problems: list[str], voice: Voice) -> int:
    if voice.json:
        voice.out_json({"problems": problems})
    for problem in problems if not voice.json else []:
        voice.out(problem)
    if not problems:
        voice.note("the runbook names nothing that is not there")
    return ExitCode.CHECK_FAILED if problems else ExitCode.OK
