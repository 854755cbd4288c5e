"""The plans for jobs that check: audit-full, acceptance and release-freeze, started detached."""

from __future__ import annotations

from pathlib import Path

from console.live.feed import CommandPlan
from console.reading.check_runs import CheckRunReader, acceptance_reader, audit_reader, release_reader
from pipeline.contracts import paths

_STAYS = ("sources, evidence, scored runs, exports, settings, git: not touched",)


def plan(action_id: str, root: Path) -> CommandPlan | None:
    """The plan for a start; None for another action, or while the same job is at work already."""
    if action_id == "audit.start" and _is_free(audit_reader(root)):
        return _plan(
            action_id,
            root,
            "audit-full",
            (
                f"{paths.AUDIT_REPORT} and its .json: replaced when it ends",
                f"{paths.AUDIT_BASELINES}: one row more when it passes without a warning",
            ),
            "its report replaces the last one; kill -TERM ends it early",
        )
    if action_id == "acceptance.start" and _is_free(acceptance_reader(root)):
        return _plan(
            action_id,
            root,
            "acceptance",
            (
                f"{paths.ACCEPTANCE_REPORT} and its .json: replaced when it ends",
                "a temp root of its own, removed when all is well and kept when not",
            ),
            "its report replaces the last one; kill -TERM ends it early",
        )
    if action_id == "release.start" and _is_free(release_reader(root)):
        return _plan(
            action_id,
            root,
            "release-freeze",
            (
                f"{paths.RELEASE_FREEZE}, {paths.RELEASE_MANIFEST.name}: withdrawn first, written anew",
                "the reports of acceptance and audit-full, which are two of its gates",
            ),
            "nothing is tagged: the tag command is printed for you to run, or not",
        )
    return None


def _is_free(reader: CheckRunReader) -> bool:
    return reader.read().word != "running"


def _plan(action_id: str, root: Path, command: str, changes: tuple[str, ...], way_back: str) -> CommandPlan:
    return CommandPlan(
        action_id,
        f"START {command.upper()}",
        arguments=(command,),
        command=("distill", command, "-C", str(root)),
        changes=changes,
        stays=_STAYS,
        way_back=way_back,
        yes=f"yes, start {command}; it goes on when this console is gone",
    )
