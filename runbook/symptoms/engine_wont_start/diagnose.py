"""ENGINE.wont-start: the engine ends before it can say anything."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import PurePosixPath
from shlex import quote

from pipeline.contracts.faults import ExitCode
from pipeline.contracts.status import Verdict
from runbook.actions.restore import plan_restore
from runbook.change.plan import Draft
from runbook.probes.evidence import Cause, Confidence, Detection, Diagnosis, Evidence, ProbeOutput, Stance
from runbook.probes.workspace import Workspace
from runbook.symptom import Answers, Offer, Probe, diagnosed
from runbook.symptoms.engine_wont_start.define import CAUSES, CHANGED, DEFINITION, ID, UNKNOWN
from runbook.wizard.planning import Planning

PACKAGE = "pipeline"
_PROBE = "code"
_SECONDS = 60.0
_LAST_LINES = 30
# The smallest command that imports what every command imports.
_SMALLEST = ("config", "--help")
_FRAME = re.compile(r'^  File "([^"]+)", line (\d+)', re.MULTILINE)


def detect(workspace: Workspace) -> Detection:
    """Whether the engine in use can print a command's help. Raises SettingsError when it may not run."""
    ran = workspace.engine(_SMALLEST, seconds=_SECONDS)
    now = time.time()
    error = ran.narration
    good = ran.exit_code == ExitCode.OK
    said = ran.reason
    frames = [_inside(workspace, name) for name, _ in _FRAME.findall(error)]
    return Detection(
        symptom_id=ID,
        verdict=Verdict.CLEAR if good else Verdict.DETECTED,
        observed="it starts" if good else f"exit {ran.exit_code}: {said}",
        read_at=now,
        as_of=now,
        reproduce="distill config --help",
        evidence=()
        if good
        else (
            Evidence(
                stance=Stance.FOR,
                says=f"It ended with {ran.exit_code}.",
                source="stderr of distill config --help",
                read_at=now,
                lines=tuple(error.splitlines()[-_LAST_LINES:]),
            ),
        ),
        facts={"frames": [each for each in frames if each is not None]},
    )


def _inside(workspace: Workspace, name: str) -> str | None:
    """A file of a traceback as a path below the workspace's own engine; None for any other."""
    path = PurePosixPath(name)
    for root in (workspace.root, workspace.root.resolve()):
        if path.is_relative_to(root / PACKAGE):
            return str(path.relative_to(root))
    return None


def _code(workspace: Workspace, _seconds: float) -> ProbeOutput:
    """How the workspace's engine differs from the tag. Raises GitError, which is its trouble."""
    git, tag = workspace.git, workspace.last_good_tag
    commit = git.resolve_tag(tag) if workspace.runs_own_engine else None
    changes = git.changes(commit, [PACKAGE]) if commit else []
    return ProbeOutput(
        probe_id=_PROBE,
        title="The engine's code against the last-good tag",
        text="\n".join(f"{each.kind} {each.path}" for each in changes) or "no difference is known",
        data={
            "tag": tag,
            "commit": commit,
            "changed": [each.path for each in changes if each.kind in ("changed", "missing")],
        },
    )


def classify(detection: Detection, outputs: Mapping[str, ProbeOutput]) -> Diagnosis:
    output = outputs[_PROBE]
    seen = output.data if isinstance(output.data, dict) else {}
    found, frames = seen.get("changed"), detection.facts.get("frames")
    changed = [str(each) for each in found] if isinstance(found, list) else []
    named = [str(each) for each in frames] if isinstance(frames, list) else []
    cause = CHANGED if changed else UNKNOWN
    # The innermost frame is the last one.
    culprit = next((each for each in reversed(named) if each in changed), None)
    confidence = Confidence.UNKNOWN
    if changed:
        confidence = Confidence.CERTAIN if culprit else Confidence.LIKELY
    evidence = Evidence(
        stance=Stance.FOR if changed else Stance.UNKNOWN,
        says=output.trouble
        or (f"{len(changed)} files differ from {seen.get('tag')}." if changed else output.text),
        source=f"git ls-tree {quote(str(seen.get('tag')))} -- {PACKAGE}",
        read_at=output.read_at,
        lines=tuple(changed),
    )
    return Diagnosis(
        cause=Cause(
            id=cause,
            sentence=dict(CAUSES)[cause],
            confidence=confidence,
            places=(culprit,) if culprit else tuple(changed),
            evidence=(*detection.evidence, evidence),
        ),
        facts={"restore": [culprit] if culprit else [*changed]},
    )


def offers(_detection: Detection, diagnosis: Diagnosis | None) -> tuple[Offer, ...]:
    found = diagnosis.facts.get("restore") if diagnosis is not None else None
    paths = [str(each) for each in found] if isinstance(found, list) else []

    def make(planning: Planning, _answers: Answers) -> Draft:
        return plan_restore(planning, paths)

    why = "the tag holds the bytes with which it last started"
    return (Offer("restore", f"Restore {', '.join(paths)}", why, make),) if paths else ()


SYMPTOM = diagnosed(
    DEFINITION,
    detect=detect,
    classify=classify,
    offers=offers,
    probes=lambda _detection: (Probe(_PROBE, "The engine's code against the last-good tag", 60.0, _code),),
)
