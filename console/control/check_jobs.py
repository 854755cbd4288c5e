"""The plans for jobs that check: audit-full, acceptance and release-freeze, started detached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from console.control.feed import CommandPlan
from console.reading.check_runs import CheckRunReader, acceptance_reader, audit_reader, release_reader
from pipeline.contracts import paths

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
            f"{paths.RELEASE_FREEZE}, {paths.RELEASE_MANIFEST.name}: withdrawn first, written anew",
            "the reports of acceptance and audit-full, which are two of its gates",
        ),
        "nothing is tagged: the tag command is printed for you to run, or not",
    ),
}


def plan(action_id: str, root: Path) -> CommandPlan | None:
    """The plan for a start; None for another action, or while the same job is at work already."""
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
        yes=f"yes, start {command}; it goes on when this console is gone",
    )
