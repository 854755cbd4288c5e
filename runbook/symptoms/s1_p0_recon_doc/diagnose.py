"""S1.P0.recon-doc: the recon doc is missing or empty."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from pydantic import JsonValue

from pipeline.platform.lenient_json import texts_of
from runbook.case import Case
from runbook.probes.evidence import Confidence, Detection, Diagnosis, Stance
from runbook.probes.looks import data_probe, detection_from
from runbook.probes.workspace import Workspace
from runbook.symptom import Offer, diagnosed
from runbook.symptoms import s1_p0_recon_doc as define
from runbook.symptoms.offers import tag_offer
from runbook.symptoms.s1_p0_recon_doc.glance import glance

_PROBE = "history"


def detect(workspace: Workspace) -> Detection:
    return detection_from(define.ID, glance(workspace.facts()), reproduce=f"ls -l {define.DOC}")


def _history(workspace: Workspace, _seconds: float) -> tuple[list[str], JsonValue]:
    """What tag and history hold. Raises GitError, which becomes the probe's trouble."""
    git, tag = workspace.git, workspace.last_good_tag
    commit = git.resolve_tag(tag)
    tagged = len((git.bytes_at(commit, define.DOC) or b"").strip())
    commits = git.log([define.DOC], limit=5) if git.resolve("HEAD") else []
    lines = [each.told for each in commits]
    told = [f"{tag}: {commit or 'no such tag'}, {tagged} bytes of text", *lines]
    return told, {"tag": tag, "commit": commit, "tagged": tagged, "commits": [*lines]}


def classify(case: Case) -> Diagnosis:
    output = case.outputs[_PROBE]
    seen, lines = output.members, texts_of(output.data, "commits")
    if not seen.get("commit"):
        cause = define.UNKNOWN
    elif seen.get("tagged"):
        cause = define.DELETED
    else:
        cause = define.TAG_LACKS_IT if lines else define.NEVER_COMMITTED
    known, source = cause != define.UNKNOWN, f"git ls-tree {quote(str(seen.get('tag')))} -- {define.DOC}"
    if known:
        tag_says = f"{seen.get('tag')} holds {seen.get('tagged')} bytes of it."
        log_says = "Commits touched it." if lines else "No commit touched it."
        evidence = [
            case.fact(Stance.FOR, tag_says, source),
            case.fact(Stance.FOR, log_says, f"git log -- {define.DOC}", lines),
        ]
    else:
        trouble = output.trouble or "There is no repository, or no such tag."
        evidence = [case.fact(Stance.UNKNOWN, trouble, source)]
    confidence = Confidence.CERTAIN if known else Confidence.UNKNOWN
    return case.concluded(cause, confidence, {cause: evidence}, first=(), places=(case.detection.observed,))


RESTORE = tag_offer([define.DOC], "Restore it from the last-good tag", "the tag holds its last good text")


def offers(_detection: Detection, diagnosis: Diagnosis) -> Iterator[Offer]:
    if diagnosis.cause.id == define.DELETED:
        yield RESTORE


PROBES = (data_probe(_PROBE, "What git holds of it", 30.0, _history),)
SYMPTOM = diagnosed(define.DEFINITION, detect, classify, offers, PROBES)
