"""LAST.nuclear: nothing else worked.

Raised where a repair of a severe symptom was carried out, its detector was red afterwards, and the
incident was handed over or left like that; or where three phases and more are red while code or documents of
three phases and more differ from the last-good tag, so that repairing one phase is no way out.

A failed repair is read from the incidents' journals. It counts once the incident is over (handed
over, or left) with its detector red after the repair, until a later one of the same symptom is
resolved or an audit passes. While somebody is still at it, it is no failure yet.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from shlex import quote

from pydantic import JsonValue

from pipeline.contracts import paths
from pipeline.contracts.check_index import REQUIRED_CHECKS
from pipeline.contracts.faults import OperatorError
from pipeline.contracts.incidents import IncidentEntry
from pipeline.contracts.moments import epoch_seconds
from pipeline.contracts.plurals import differ
from pipeline.contracts.severity import Severity
from pipeline.contracts.status import Answer, Verdict
from pipeline.platform.git import GitError
from pipeline.platform.lenient_json import texts_of
from pipeline.reading.check_report import AUDIT, CheckReport
from pipeline.reading.incidents import JOURNAL
from runbook.actions.nuclear import differences, plan_nuclear
from runbook.case import Case
from runbook.change.incident import Incident, known_incidents
from runbook.change.undo import plans_of
from runbook.probes.check_reports import look_again, red_again
from runbook.probes.code_history import ENGINE, ChangedFile, code_probe, phase_of
from runbook.probes.evidence import Confidence, Detection, Diagnosis, Evidence, Record, Stance
from runbook.probes.looks import data_probe, detection_from
from runbook.probes.workspace import Workspace
from runbook.symptom import Offer, diagnosed
from runbook.symptoms.last_nuclear import AS_TAGGED, DEFINITION, DIFFERS, ID, UNKNOWN
from runbook.wizard.dialogue import fold

_SEVERE = (str(Severity.CRITICAL), str(Severity.ERROR))
_PHASES_RED = 3
_TREE = "tree"
_RECON, _TOML = str(paths.RECON_DOC), str(paths.SETTINGS)
_MOST_LISTED = 200


class FailedRepair(Record):
    """``when`` is seconds since the epoch; ``said`` is what the detector said afterwards."""

    incident_id: str
    symptom_id: str
    state: str
    title: str
    said: str
    when: float


def failed_repairs(root: Path, *, since: float | None, apart: str) -> list[FailedRepair]:
    """Those after ``since`` (an audit that passed), oldest first, but for symptom ``apart``.

    A journal that cannot be read tells of none; ``incident verify`` is what complains of it.
    """
    last: dict[str, FailedRepair | None] = {}
    for incident_id in known_incidents(root):
        incident = Incident(root, incident_id)
        try:
            if since is not None and (incident.folder / JOURNAL).stat().st_mtime <= since:
                continue
            entries = incident.journal.entries()
        except (OperatorError, OSError):
            continue
        symptom_id = _severe_symptom(entries)
        if symptom_id is None or symptom_id == apart:
            continue
        if entries[-1].state == "resolved":
            last[symptom_id] = None
        elif fold(entries).is_over and (failed := _failure(incident_id, symptom_id, entries)):
            last[symptom_id] = failed
    found = [each for each in last.values() if each is not None]
    return sorted((each for each in found if since is None or each.when > since), key=lambda each: each.when)


def _severe_symptom(entries: Sequence[IncidentEntry]) -> str | None:
    detail = entries[0].detail if entries else {}
    symptom_id = detail.get("symptom_id")
    return symptom_id if isinstance(symptom_id, str) and detail.get("severity") in _SEVERE else None


def _failure(incident_id: str, symptom_id: str, entries: Sequence[IncidentEntry]) -> FailedRepair | None:
    """The last verification of a carried-out plan that found the symptom still there."""
    titles = {plan.hash: plan.title for plan in plans_of(entries)}
    for entry in reversed(entries):
        if entry.kind == "verified" and entry.verdict == Verdict.DETECTED:
            return FailedRepair(
                incident_id=incident_id,
                symptom_id=symptom_id,
                state=entries[-1].state,
                title=titles.get(entry.plan_hash or "", ""),
                said=str(entry.detail.get("says") or ""),
                when=epoch_seconds(entry.recorded_at) or 0.0,
            )
    return None


def detect(workspace: Workspace) -> Detection:
    """By the incidents' journals and the last audit; the tag is asked only where that is red."""
    world = workspace.facts()
    report = world.audit
    passed_at = report.finished_at if report is not None and _passed(report) else None
    failed = failed_repairs(workspace.root, since=passed_at, apart=ID)
    if failed:
        last = failed[-1]
        said = f"{last.symptom_id} is still detected after “{last.title}” was applied: {last.said}"
        facts: dict[str, JsonValue] = {"failed": [each.incident_id for each in failed], "red": []}
        return _detection(Answer(Verdict.DETECTED, said, last.when), _evidence_of(failed), facts)
    red = _red_phases(workspace, report) if report is not None else []
    if len(red) >= _PHASES_RED and report is not None:
        differing = _differing_phases(workspace)
        if len(differing) >= _PHASES_RED:
            said = f"checks fail in {', '.join(red)}; {', '.join(differing)} differ from the last-good tag"
            answer = Answer(Verdict.DETECTED, said, report.finished_at, report.source)
            return _detection(answer, facts={"failed": [], "red": [*red]})
    unread = world.cannot_read(AUDIT)
    if unread is not None:
        return _detection(unread)
    said = "no repair failed" + (f"; the last audit failed in {', '.join(red)}" if red else "")
    return _detection(Answer(Verdict.CLEAR, said, time.time()))


def rerun(workspace: Workspace) -> Detection:
    """After a restore all sixteen required checks have to pass; else whether it is due, as ``detect``.

    They are read from the last audit where nothing was touched since, and asked anew elsewhere.
    """
    if not _is_under_way(workspace):
        return detect(workspace)
    report = workspace.facts().audit
    if report is not None and _passed(report) and not workspace.is_touched_since(report.finished_at):
        seen, as_of, source = report.checks, report.finished_at, report.source
    else:
        seen, as_of, source = look_again(workspace, REQUIRED_CHECKS), time.time(), "live"
    required = [seen[each] for each in REQUIRED_CHECKS if each in seen]
    failing = [each for each in required if each.status != "pass"]
    said = f"{len(required) - len(failing)} of {len(REQUIRED_CHECKS)} required checks pass"
    if not failing and len(required) == len(REQUIRED_CHECKS):
        return _detection(Answer(Verdict.CLEAR, said, as_of, source), _was_the_bug(workspace))
    said += "".join(f"; {each.id} {each.status}: {each.detail}" for each in failing[:3])
    verdict = Verdict.DETECTED if any(each.is_red for each in failing) else Verdict.UNKNOWN
    return _detection(Answer(verdict, said, as_of, source))


def _is_under_way(workspace: Workspace) -> bool:
    incident = _last_incident(workspace)
    if incident is None:
        return False
    standing = fold(incident.journal.entries())
    return standing.plan is not None and standing.consented and not standing.is_over


def _last_incident(workspace: Workspace) -> Incident | None:
    """The newest incident of this symptom."""
    found = (Incident(workspace.root, each) for each in reversed(known_incidents(workspace.root)))
    return next((each for each in found if each.symptom_id == ID), None)


def _passed(report: CheckReport) -> bool:
    required = [each for each in report.checks.values() if each.required]
    return bool(required) and all(each.status == "pass" for each in required)


def _red_phases(workspace: Workspace, report: CheckReport) -> list[str]:
    """Phases with a red required check, looked at again where something was touched since."""
    red = [each for each in report.checks.values() if each.required and each.is_red]
    if len({each.phase for each in red}) >= _PHASES_RED and workspace.is_touched_since(report.finished_at):
        red = [each for each in red_again(workspace, report).values() if each.is_red]
    return sorted({each.phase or each.id.split(".")[0] for each in red})


def _differing_phases(workspace: Workspace) -> list[str]:
    try:
        git = workspace.git
        commit = git.resolve_tag(workspace.last_good_tag)
        changes = git.changes(commit, [ENGINE, _RECON]) if commit else []
    except GitError:
        return []
    phases = {"P0" if each.path == _RECON else phase_of(each.path) for each in changes}
    return sorted(each for each in phases if each is not None)


def _evidence_of(failed: Sequence[FailedRepair]) -> tuple[Evidence, ...]:
    return tuple(
        Evidence.of(
            Stance.FOR,
            f"“{each.title}” was applied for {each.symptom_id}, and it is still detected: {each.said}",
            f"{paths.INCIDENTS}/{each.incident_id} ({each.state})",
            each.when,
        )
        for each in failed
    )


def _detection(
    answer: Answer, evidence: tuple[Evidence, ...] = (), facts: Mapping[str, JsonValue] | None = None
) -> Detection:
    return detection_from(
        ID, answer, reproduce="distill audit-full", evidence=evidence, facts=dict(facts or {})
    )


def _was_the_bug(workspace: Workspace) -> tuple[Evidence, ...]:
    """What the restore took back, as its diagnosis had found it: the diff that was the bug."""
    incident = _last_incident(workspace)
    diagnosis = fold(incident.journal.entries()).diagnosis if incident is not None else None
    found = diagnosis.cause.evidence if diagnosis is not None else ()
    return tuple(_taken_back(each) for each in found if each.source.startswith("git diff"))


def _taken_back(found: Evidence) -> Evidence:
    """By now the files are as in the tag: what is told of is how they were."""
    return found.model_copy(update={"says": found.says.replace(" is not as in ", " was not as in ", 1)})


def _tree(workspace: Workspace, _seconds: float) -> tuple[list[str], JsonValue]:
    git, tag = workspace.git, workspace.last_good_tag
    commit = git.resolve_tag(tag)
    changes = [f"{each.kind} {each.path}" for each in (differences(workspace, commit) if commit else ())]
    commits = git.log([], since=commit, limit=_MOST_LISTED) if commit and git.resolve("HEAD") else []
    lines = [*changes[:_MOST_LISTED], *(each.told for each in commits)]
    told = [f"{tag}: {commit or 'no such tag'}", *lines]
    return told, {"tag": tag, "commit": commit, "changed": [*changes], "commits": len(commits)}


def classify(case: Case) -> Diagnosis:
    tree, history = case.outputs.get(_TREE), case.code
    seen = tree.members if tree is not None else {}
    changed = texts_of(seen, "changed")
    code = history.files if history.source == "workspace" else ()
    if not seen.get("commit"):
        cause_id, confidence = UNKNOWN, Confidence.UNKNOWN
        stance, says = Stance.UNKNOWN, case.trouble(_TREE, "There is no repository, or no such tag.")
    else:
        cause_id, confidence = AS_TAGGED, Confidence.LIKELY
        if changed:
            cause_id, confidence = DIFFERS, Confidence.LIKELY if code else Confidence.POSSIBLE
        stance = Stance.FOR
        says = differ(len(changed), f"from {seen.get('tag')}; commits since: {seen.get('commits')}.")
    source = f"git ls-tree {quote(str(seen.get('tag')))}"
    whole = case.fact(stance, says, source, changed[:_MOST_LISTED], by=_TREE)
    by_phase = sorted(code, key=lambda each: (_phase(each), each.path))
    other = AS_TAGGED if cause_id == DIFFERS else DIFFERS
    return case.concluded(
        cause_id,
        confidence,
        {cause_id: (whole, *case.changed_code(by_phase)), other: (whole.turned,)},
        places=tuple(f"{_phase(each)}: {each.told}" for each in by_phase) or changed,
        aside=(other,),
    )


def _phase(file: ChangedFile) -> str:
    return "P0" if file.path == _RECON else file.phase or "shared"


def offers(_detection: Detection, diagnosis: Diagnosis) -> Iterator[Offer]:
    """Only where it changes something: a workspace that is as tagged is handed over."""
    if diagnosis.cause.id == DIFFERS:
        yield NUCLEAR


NUCLEAR = Offer(
    "nuclear",
    "Restore everything from the last-good tag, run, accept, audit",
    "what was green at the tag is proven green again; journals, incidents and sources stay, "
    "and every byte that is replaced is kept for the undo",
    lambda planning, _: plan_nuclear(planning),
)
PROBES = (
    data_probe(_TREE, "Everything that git holds, against the last-good tag", 60.0, _tree),
    code_probe((ENGINE, _RECON, _TOML)),
)
SYMPTOM = diagnosed(DEFINITION, detect, classify, offers, PROBES, rerun=rerun)
