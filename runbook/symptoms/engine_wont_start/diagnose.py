"""ENGINE.wont-start: the engine ends before it can say anything."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import PurePosixPath
from shlex import quote

from pydantic import JsonValue

from pipeline.contracts.faults import ExitCode
from pipeline.contracts.plurals import differ
from pipeline.contracts.status import Answer, Verdict
from pipeline.platform.lenient_json import bytes_or_empty, texts_of
from pipeline.platform.process_end import exit_in_words
from runbook.actions.restore import HEAD
from runbook.case import Case
from runbook.probes.code_history import CODE, ENGINE, code_probe
from runbook.probes.engine_look import STARTS
from runbook.probes.evidence import Confidence, Detection, Diagnosis, Evidence, Stance
from runbook.probes.looks import detection_from
from runbook.probes.settings_history import FILE, SettingsHistory, settings_probe
from runbook.probes.workspace import Workspace
from runbook.symptom import Offer, diagnosed
from runbook.symptoms.engine_wont_start import CHANGED, DEFINITION, ID, SETTINGS_REFUSED, UNKNOWN
from runbook.symptoms.offers import tag_offer

_SECONDS = 60.0
_REPRODUCE = "distill config show"
_REFUSAL = "refusal"
TAG = "tag"
_LAST_LINES = 30
_FRAME = re.compile(r'^  File "([^"]+)", line (\d+)', re.MULTILINE)


def detect(workspace: Workspace) -> Detection:
    """Whether the engine in use starts with the workspace's settings, and whether each of its modules
    loads: a command imports what it needs when it is called. Raises SettingsError when it may not run.
    """
    ran = workspace.engine(STARTS, seconds=_SECONDS)
    now = time.time()
    error = ran.narration
    frames = [_inside(workspace, name) for name, _ in _FRAME.findall(error)]
    facts: dict[str, JsonValue] = {"frames": [each for each in frames if each is not None]}
    if not ran.has_no_say and (ran.exit_code == ExitCode.OK or ran.refusal):
        return _of_modules(workspace, _below(workspace, ran.refusal))
    evidence = tuple[Evidence, ...]()
    if ran.has_no_say or not _can_read_settings(workspace):
        answer = Answer(Verdict.UNKNOWN, f"not examined: {ran.reason}", now)
    else:
        ended = "" if ran.exit_code is None else f"{exit_in_words(ran.exit_code)}: "
        answer = Answer(Verdict.DETECTED, f"{ended}{ran.reason}", now)
        source, lines = f"stderr of {_REPRODUCE}", tuple(error.splitlines()[-_LAST_LINES:])
        says = "It could not be started." if ran.exit_code is None else f"It ended with {ran.exit_code}."
        evidence = (Evidence.of(Stance.FOR, says, source, now, lines),)
    return detection_from(ID, answer, reproduce=_REPRODUCE, evidence=evidence, facts=facts)


def _can_read_settings(workspace: Workspace) -> bool:
    """Those that the disk does not give may well be right."""
    try:
        bytes_or_empty(workspace.root / FILE)
    except OSError:
        return False
    except ValueError:
        return True  # given, and no settings: the engine's to say
    return True


def _of_modules(workspace: Workspace, refusal: str) -> Detection:
    """Whether every module loads, and the first broken file; then what the settings were refused for."""
    loaded = workspace.engine_modules()
    now = time.time()
    files = [name for each in loaded.broken for name in (each.named, each.path)]
    facts: dict[str, JsonValue] = {"frames": [each for name in files if (each := _inside(workspace, name))]}
    evidence = tuple[Evidence, ...]()
    if loaded.has_no_say:
        answer = Answer(Verdict.UNKNOWN, f"not examined: {loaded.trouble}", now)
    elif not (loaded.trouble or loaded.broken):
        if refusal:
            return _refused(refusal, now)
        answer = Answer(Verdict.CLEAR, f"it starts, and its {loaded.modules} modules load", now)
    else:
        answer = Answer(Verdict.DETECTED, loaded.told_from(workspace.root), now)
        lines = tuple(each.told_from(workspace.root) for each in loaded.broken[:_LAST_LINES])
        says = "Commands start, and fail where they import what is broken."
        evidence = (Evidence.of(Stance.FOR, says, "distill doctor", now, lines),)
    return detection_from(ID, answer, reproduce="distill doctor", evidence=evidence, facts=facts)


def _refused(refusal: str, now: float) -> Detection:
    """The code is well, and the settings are not."""
    answer = Answer(Verdict.DETECTED, f"it refuses the settings: {refusal}", now)
    says = "Commands that need the settings end before they begin."
    evidence = (Evidence.of(Stance.FOR, says, _REPRODUCE, now, (refusal,)),)
    return detection_from(ID, answer, reproduce=_REPRODUCE, evidence=evidence, facts={_REFUSAL: refusal})


def _below(workspace: Workspace, refusal: str) -> str:
    """The refusal with the settings' path as it is below the workspace."""
    roots = (workspace.root, workspace.root.resolve())
    return next((refusal[len(f"{root}/") :] for root in roots if refusal.startswith(f"{root}/")), refusal)


def _inside(workspace: Workspace, name: str) -> str | None:
    """A file of a traceback as a path below the workspace's own engine; None for any other."""
    path = PurePosixPath(name)
    for root in (workspace.root, workspace.root.resolve()):
        if path.is_relative_to(root / ENGINE):
            return str(path.relative_to(root))
    return None


def classify(case: Case) -> Diagnosis:
    history = case.code
    # What was added breaks nothing that imports other files, and an installed engine is nobody's here.
    changed = [each.path for each in history.files if each.kind != "added" and history.source == "workspace"]
    if (refusal := case.detection.facts.get(_REFUSAL)) and (case.settings.changes or not changed):
        return _of_settings(case, str(refusal))
    # The innermost frame is the last one.
    named = reversed(texts_of(case.detection.facts, "frames"))
    culprit = next((each for each in named if each in changed), None)
    says = differ(len(changed), f"from {history.tag}.") if changed else "no difference is known"
    evidence = case.fact(
        Stance.FOR if changed else Stance.UNKNOWN,
        history.trouble or says,
        f"git ls-tree {quote(history.tag)} -- {ENGINE}",
        changed,
        by=CODE,
    )
    places = [culprit] if culprit else changed
    cause, confidence = (CHANGED, Confidence.LIKELY) if changed else (UNKNOWN, Confidence.UNKNOWN)
    return case.concluded(
        cause,
        Confidence.CERTAIN if culprit else confidence,
        {cause: [evidence]},
        places=places,
        facts={"restore": [*places]},
    )


def _of_settings(case: Case, refusal: str) -> Diagnosis:
    """Settings that the engine refuses. Those that are as they were are put right by hand alone."""
    settings = case.settings
    evidence = case.settings_differ(
        settings.changes,
        f"{FILE} is not as in {settings.tag}.",
        f"{FILE} says what it said in {settings.tag}.",
    )
    return case.concluded(
        SETTINGS_REFUSED,
        Confidence.CERTAIN,
        {SETTINGS_REFUSED: [evidence]},
        places=[refusal],
        facts={"from": [name for name, holds in _holders(settings) if holds]},
    )


def _holders(settings: SettingsHistory) -> Iterator[tuple[str, bool]]:
    """Which commits hold other settings. The last commit's come first: they lose the fewest edits."""
    yield HEAD, settings.uncommitted and bool(settings.commits or settings.trouble)
    yield TAG, bool(settings.changes)


def offers(_detection: Detection, diagnosis: Diagnosis) -> Iterator[Offer]:
    if names := texts_of(diagnosis.facts, "restore"):
        why = "the tag holds the bytes with which it last started"
        yield tag_offer(names, f"Restore {', '.join(names)}", why)
    yield from (_SETTINGS_OFFERS[each] for each in texts_of(diagnosis.facts, "from"))


_SETTINGS_OFFERS = {
    HEAD: tag_offer(
        [FILE],
        f"Restore {FILE} as it was committed last",
        "only edits that were never committed go; the plan shows them",
        offer_id="restore-committed",
        tag=HEAD,
    ),
    TAG: tag_offer(
        [FILE],
        f"Restore {FILE} from the last-good tag",
        "the engine last started with these settings; every later edit goes, and the plan shows them",
        offer_id="restore-settings",
    ),
}
PROBES = (code_probe(title="The engine's code against the last-good tag"), settings_probe())
SYMPTOM = diagnosed(DEFINITION, detect, classify, offers, PROBES)
