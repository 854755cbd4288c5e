"""S1.P0.recon-doc: the recon doc is missing or empty."""

from __future__ import annotations

from collections.abc import Mapping
from shlex import quote

from runbook.actions.restore import plan_restore
from runbook.change.plan import Draft
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
from runbook.probes.workspace import Workspace
from runbook.symptom import Answers, Offer, Probe, diagnosed
from runbook.symptoms.s1_p0_recon_doc.define import (
    CAUSES,
    DEFINITION,
    DELETED,
    DOC,
    ID,
    NEVER_COMMITTED,
    TAG_LACKS_IT,
    UNKNOWN,
)
from runbook.symptoms.s1_p0_recon_doc.glance import glance
from runbook.wizard.planning import Planning

_PROBE = "history"


def detect(workspace: Workspace) -> Detection:
    return detection_from(ID, glance(workspace.facts()), reproduce=f"ls -l {DOC}")


def _history(workspace: Workspace, _seconds: float) -> ProbeOutput:
    """What tag and history hold. Raises GitError, which becomes the probe's trouble."""
    git, tag = workspace.git, workspace.last_good_tag
    commit = git.resolve_tag(tag)
    tagged = len((git.bytes_at(commit, DOC) or b"").strip())
    commits = git.log([DOC], limit=5) if git.resolve("HEAD") else []
    lines = [each.told for each in commits]
    return ProbeOutput(
        probe_id=_PROBE,
        title="What git holds of it",
        text="\n".join([f"{tag}: {commit or 'no such tag'}, {tagged} bytes of text", *lines]),
        data={"tag": tag, "commit": commit, "tagged": tagged, "commits": [*lines]},
    )


def classify(detection: Detection, outputs: Mapping[str, ProbeOutput]) -> Diagnosis:
    output = outputs[_PROBE]
    seen = output.data if isinstance(output.data, dict) else {}
    commits = seen.get("commits")
    lines = tuple(str(each) for each in commits) if isinstance(commits, list) else ()
    if not seen.get("commit"):
        cause = UNKNOWN
    elif seen.get("tagged"):
        cause = DELETED
    else:
        cause = TAG_LACKS_IT if lines else NEVER_COMMITTED
    tag_says = f"{seen.get('tag')} holds {seen.get('tagged')} bytes of it."
    log_says = "Commits touched it." if lines else "No commit touched it."
    known = cause != UNKNOWN
    trouble = output.trouble or "There is no repository, or no such tag."
    evidence = [
        Evidence(
            stance=Stance.FOR if known else Stance.UNKNOWN,
            says=tag_says if known else trouble,
            source=f"git ls-tree {quote(str(seen.get('tag')))} -- {DOC}",
            read_at=output.read_at,
        )
    ]
    if known:
        evidence.append(
            Evidence(
                stance=Stance.FOR,
                says=log_says,
                source=f"git log -- {DOC}",
                read_at=output.read_at,
                lines=lines,
            )
        )
    return Diagnosis(
        cause=Cause(
            id=cause,
            sentence=dict(CAUSES)[cause],
            confidence=Confidence.CERTAIN if known else Confidence.UNKNOWN,
            places=(detection.observed,),
            evidence=tuple(evidence),
        )
    )


def _restore(planning: Planning, _answers: Answers) -> Draft:
    return plan_restore(planning, [DOC])


RESTORE = Offer("restore", "Restore it from the last-good tag", "the tag holds its last good words", _restore)


def offers(_detection: Detection, diagnosis: Diagnosis | None) -> tuple[Offer, ...]:
    return (RESTORE,) if diagnosis is not None and diagnosis.cause.id == DELETED else ()


SYMPTOM = diagnosed(
    DEFINITION,
    detect=detect,
    classify=classify,
    offers=offers,
    probes=lambda _detection: (Probe(_PROBE, "What git holds of it", 30.0, _history),),
)
