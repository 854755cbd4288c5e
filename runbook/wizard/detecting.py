"""Run the detectors, and set each symptom beneath the one that explains it.

One broken schema raises five symptoms. All five are shown, four of them beneath the first, so
that nobody repairs a consequence. Whether a repair helped is asked of the detector that raised the
incident, and of nobody else. What was done directly, and what was taken back, is verified by the
files themselves: every step ended as planned, or it would not have come so far.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.contracts.faults import ExitCode, StorageError
from pipeline.contracts.incidents import WizardState
from pipeline.contracts.status import Answer, Verdict
from pipeline.reading.report_files import Notes
from pipeline.reading.symptom_answers import as_kept, exit_code_of, is_taken_back, not_silenced
from pipeline.reading.symptom_log import keep_looks, read_looks
from runbook.change.incident import Incident
from runbook.change.plan import Plan
from runbook.change.refusals import why_failed
from runbook.probes.evidence import Detection
from runbook.probes.looks import repeated
from runbook.probes.workspace import Workspace
from runbook.symptom import Symptom
from runbook.wizard import dialogue as wizard

# Detectors wait for subprocesses more than they compute.
_AT_ONCE = 4
_TELL_SECONDS = 1.0


@dataclass(frozen=True)
class Found:
    """One symptom's detection. ``beneath`` is the id of the symptom that explains it, ``since`` when it
    was first seen.
    """

    symptom: Symptom
    detection: Detection
    beneath: str | None = None
    since: float | None = None

    @property
    def is_raised(self) -> bool:
        return self.detection.verdict is Verdict.DETECTED


def detect_one(workspace: Workspace, symptom: Symptom, *, full: bool = False) -> Detection:
    """One detection; a detector that raises could not look."""
    try:
        return symptom.look_anew(workspace) if full else symptom.detect(workspace)
    except Exception as error:  # noqa: BLE001 - one broken detector must not silence the others
        return Detection(
            symptom_id=symptom.id,
            verdict=Verdict.UNKNOWN,
            observed=f"not examined: {why_failed(error)}",
            read_at=time.time(),
            as_of=None,
        )


def first_seen(workspace: Workspace, symptom: Symptom, seen: Detection) -> float | None:
    """When what shows was told first: by a look, or by a report before it. None where it does not show."""
    if seen.verdict is not Verdict.DETECTED:
        return None
    told: Answer | None = None
    if symptom.glance is not None:
        with contextlib.suppress(Exception):  # what cannot look tells of no sighting
            told = symptom.glance(workspace.facts())
    earlier = (told.since or told.as_of) if told is not None and told.is_detected else None
    return min((each for each in (seen.as_of, earlier) if each is not None), default=None)


def keep_one(workspace: Workspace, symptom: Symptom, seen: Detection) -> None:
    """Keep what was seen of one symptom, as far as the disk takes it: whoever looks next sees it again."""
    answer = replace(seen.answer, since=first_seen(workspace, symptom, seen))
    with contextlib.suppress(StorageError):
        keep_looks(workspace.root, [answer], time.time())


def detect_all(
    workspace: Workspace,
    symptoms: Sequence[Symptom],
    *,
    full: bool = False,
    tell: Callable[[str, int, int], None] | None = None,
) -> list[Found]:
    """Every symptom, worst first as listed. ``full`` reruns what a report would answer.

    ``tell`` hears about once a second which detectors are at work, how many are done, and of how many.

    What is rerun goes one after the other: engine commands take the workspace's lock. Without it a look
    that was kept stands where it saw more, and later, than a report. Who cannot look now leaves what was
    seen before as it was, and calls it stale.
    """
    kept: Mapping[str, Answer] = {}
    with contextlib.suppress(OSError):  # then each of them says why it cannot look
        looks = read_looks(workspace.root, Notes())
        kept = looks
        if not full:
            workspace = workspace.at_this_moment()
            touched_at = workspace.facts().touched_at
            kept = {name: as_kept(look, touched_at) for name, look in looks.items()}
    with ThreadPoolExecutor(1 if full else _AT_ONCE) as pool:
        looks_made = [pool.submit(detect_one, workspace, each, full=full) for each in symptoms]
        if tell is not None:
            _tell_until_done(tell, symptoms, looks_made)
        detections = [each.result() for each in looks_made]
    detections = [_or_kept(each, kept.get(each.symptom_id), full=full) for each in detections]
    raised = {each.symptom_id for each in detections if each.verdict is Verdict.DETECTED}
    return [
        Found(
            symptom,
            detection,
            next((above for above in _above(symptom, detection) if above in raised), None)
            if detection.verdict is Verdict.DETECTED
            else None,
            first_seen(workspace, symptom, detection),
        )
        for symptom, detection in zip(symptoms, detections, strict=True)
    ]


def _tell_until_done(
    tell: Callable[[str, int, int], None], symptoms: Sequence[Symptom], looks: Sequence[Future[Detection]]
) -> None:
    while waiting := [each for each in looks if not each.done()]:
        at_work = [symptom.id for symptom, look in zip(symptoms, looks, strict=True) if look.running()]
        tell(", ".join(at_work), len(looks) - len(waiting), len(looks))
        wait(waiting, timeout=_TELL_SECONDS, return_when=FIRST_COMPLETED)


def _or_kept(detection: Detection, kept: Answer | None, *, full: bool) -> Detection:
    """What is stale, or never ran, gives way to a look that was made since; who is blind, to an alarm."""
    answer = detection.answer
    standing = not_silenced(answer, kept)
    if standing is not answer:
        return _as_kept(detection, standing)
    gives_way = not full and (answer.nothing_yet or bool(answer.stale))
    if kept is None or not gives_way or kept.nothing_yet or kept.as_of is None:
        return detection
    if kept.as_of <= (answer.as_of or 0.0) or kept.as_of > detection.read_at or is_taken_back(kept, answer):
        return detection
    return _as_kept(detection, kept)


def _as_kept(detection: Detection, kept: Answer) -> Detection:
    return detection.model_copy(update=repeated(kept))


def keep(root: Path, found: Sequence[Found]) -> list[Found]:
    """Keep what was seen for everybody who shows it. Raises StorageError."""
    answers = [replace(each.detection.answer, since=each.since) for each in found]
    kept = keep_looks(root, answers, time.time())
    return [replace(each, since=kept[each.symptom.id].since) for each in found]


def _above(symptom: Symptom, detection: Detection) -> tuple[str, ...]:
    return (*symptom.explained_by, *detection.explained_by)


def exit_code(found: Sequence[Found], now: float) -> ExitCode:
    """See ``exit_code_of``: the same in every face."""
    return exit_code_of(((each.symptom, each.detection.answer) for each in found), now)


def verify(workspace: Workspace, incident: Incident, symptom: Symptom | None, plan: Plan) -> bool:
    """Journal the verdict and the state that follows from it; True when the incident may end.

    Only green resolves. Containment counts as done when the detector does not ring any more,
    even where there is nothing left to look at.
    """
    if plan.undoes is not None or symptom is None:
        _by_files(incident, symptom, plan)
        return True
    detection = detect_one(workspace, symptom, full=True)
    keep_one(workspace, symptom, detection)
    contained = plan.ends == "mitigated" and detection.verdict is not Verdict.DETECTED
    good = detection.verdict is Verdict.CLEAR or contained
    incident.journal.append(
        "verified",
        plan.ends if good else "verifying",
        verdict=wizard.CONTAINED if contained else detection.verdict,
        plan_hash=plan.hash,
        detail={"detection": detection.model_dump(mode="json"), "says": detection.observed},
    )
    return good


def _by_files(incident: Incident, symptom: Symptom | None, plan: Plan) -> None:
    state: WizardState = plan.ends
    if plan.undoes is not None:
        state = "detected" if symptom is not None else "abandoned"
    incident.journal.append("verified", state, verdict=wizard.AS_PLANNED, plan_hash=plan.hash)
    if plan.undoes is not None:
        incident.journal.append(
            "state", state, verdict="undone", plan_hash=plan.hash, detail={"undone": plan.undoes}
        )
