"""The plans of all changes that a key asks for: a run, its end, jobs that check, an incident packed.

What the preview shows is what is done. An incident is packed by the one command that its plan shows.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from console.control import trust_plan
from console.control.feed import CommandPlan
from console.reading.check_runs import CheckRunReader, acceptance_reader, audit_reader, release_reader
from pipeline.contracts import paths
from pipeline.contracts.discovery import firewall_environment
from pipeline.contracts.faults import StorageError
from pipeline.contracts.plurals import plural
from pipeline.contracts.status import LockStatus
from pipeline.contracts.untrusted import visible
from pipeline.platform import confined
from pipeline.platform.identity import user_name
from pipeline.platform.process import run
from pipeline.reading.lock_facts import read_lock

FOLDER = Path("reports/console")
LIMIT_SECONDS = 120.0
_REPLACED = ("the evidence, verdicts and exports of the last run: other bytes take their place",)
_STAYS = ("sources, evidence, scored runs, exports, settings, git: not touched",)


@dataclass(frozen=True)
class _Job:
    """``reader`` tells whether the same job is at work already."""

    command: str
    reader: Callable[[Path], CheckRunReader]
    changes: tuple[str, ...]
    way_back: str


_JOBS = {
    "audit.start": _Job(
        "audit-full",
        audit_reader,
        (
            f"{paths.AUDIT_REPORT} and its .json: replaced when it ends",
            f"{paths.AUDIT_BASELINES}: one row more when it passes without a warning",
        ),
        "its report replaces the last one; kill -TERM ends it early",
    ),
    "acceptance.start": _Job(
        "acceptance",
        acceptance_reader,
        (
            f"{paths.ACCEPTANCE_REPORT} and its .json: replaced when it ends",
            "a temp root of its own, removed when all is well and kept when not",
        ),
        "its report replaces the last one; kill -TERM ends it early",
    ),
    "release.start": _Job(
        "release-freeze",
        release_reader,
        (
            f"{paths.RELEASE_FREEZE}, {paths.RELEASE_MANIFEST.name}: replaced",
            "the reports of acceptance and audit-full, which are two of its gates",
        ),
        "nothing is tagged: the tag command is printed for you to run, or not",
    ),
}


def plan(root: Path, action_id: str, subject: str, now: float) -> CommandPlan | None:
    """The plan as the disk is now; None when there is nothing to do it to, or it is at work already."""
    if action_id == "incident.export":
        return _export_plan(root, subject)
    if action_id == trust_plan.ACTION:
        return trust_plan.plan(root)
    lock = read_lock(root, now)
    if action_id == "run.cancel":
        return _cancel_plan(lock) if lock.held and lock.pid is not None else None
    if lock.held:
        return None
    starts_programs = action_id == "release.start"
    if (first := trust_plan.plan(root, programs=starts_programs)) is not None:
        return first
    return _start_plan(root) if action_id == "run.start" else _check_plan(root, action_id)


def _start_plan(root: Path) -> CommandPlan:
    return CommandPlan(
        "run.start",
        "START RUN-ALL",
        arguments=("run-all",),
        command=("distill", "run-all", "-C", str(root)),
        removes=_REPLACED if _has_exports(root) else (),
        changes=(
            f"{paths.EVIDENCE}/, {paths.SCORED_RUNS}/, {paths.EXPORTS}/: replaced together, or not at all",
            f"{paths.REPORTS}/: one new report folder",
        ),
        stays=("sources, settings, past reports, git: not touched",),
        way_back="until the run ends the previous exports stay; cancelling keeps them",
        yes="yes, start run-all; runs detached",
        critical=_has_exports(root),
    )


def _has_exports(root: Path) -> bool:
    """Whether a run would replace something: then the bytes of now do not come back."""
    exports = (paths.SFT_EXPORT, paths.RAG_EXPORT, paths.PREFERENCE_EXPORT)
    return any((root / relative).exists() for relative in exports)


def _cancel_plan(lock: LockStatus) -> CommandPlan:
    return CommandPlan(
        "run.cancel",
        "CANCEL THE RUN",
        arguments=(lock.pipeline_run_id,),
        command=("kill", "-TERM", str(lock.pid)),
        changes=(
            f"{lock.command} by {lock.user or '?'}, pid {lock.pid}, "
            f"run {lock.pipeline_run_id}: stops at its next safe point",
        ),
        stays=("the previous exports; finished chunks, which the next run takes over",),
        way_back="start run-all again: it goes on where this one stopped",
        no="no, let it run",
        yes="yes, cancel the run",
        critical=lock.user != user_name(),
    )


def _check_plan(root: Path, action_id: str) -> CommandPlan | None:
    """None for another action, and while the same job is at work already."""
    job = _JOBS.get(action_id)
    if job is None or job.reader(root).read().word == "running":
        return None
    command = job.command
    return CommandPlan(
        action_id,
        f"START {command.upper()}",
        arguments=(command,),
        command=("distill", command, "-C", str(root)),
        changes=job.changes,
        stays=_STAYS,
        way_back=job.way_back,
        yes=f"yes, start {command}; runs detached",
    )


def _export_plan(root: Path, incident_id: str) -> CommandPlan | None:
    """None for an incident that is not there. The file's name is one that is free."""
    if not incident_id or "/" in incident_id or not (root / paths.INCIDENTS / incident_id).is_dir():
        return None
    number, target = 1, FOLDER / f"{incident_id}.tar.gz"
    while (root / target).exists():
        number += 1
        target = FOLDER / f"{incident_id}-{number}.tar.gz"
    words = ("incident", "export", incident_id, "--out", str(root / target))
    return CommandPlan(
        "incident.export",
        "EXPORT THE INCIDENT",
        arguments=(incident_id, str(target)),
        command=("distill", "-C", str(root), *words),
        changes=(
            f"{target}: one new file, readable by you alone",
            "it holds the journal, the page, and kept files of up to 1 MiB, which may quote data",
        ),
        stays=("the incident's journal; what is open stays open",),
        way_back=f"rm {target}",
        yes="yes, write that file",
    )


def export_incident(root: Path, made: CommandPlan) -> str:
    """Write the pack, by the command that the plan shows. Blocking. Raises StorageError."""
    _, target = made.arguments
    try:
        confined.make_folder(root, FOLDER)
    except OSError as error:
        raise _not_written(str(error)) from error
    done = run(
        [sys.executable, "-P", "-m", "console", *made.command[1:]],
        limit_seconds=LIMIT_SECONDS,
        env=firewall_environment(),
    )
    if done.exit_code != 0:
        raise _not_written(done.why or (done.said[0] if done.said else done.reason))
    size = (root / target).stat().st_size
    return f"exported: {target}, {plural(size, 'byte')}"


def _not_written(why: str) -> StorageError:
    return StorageError.of(
        "incident_not_exported",
        f"The incident could not be packed: {visible(why, 300)}.",
        "The incident is as it was.",
        "See why: distill incident export INCIDENT",
    )
