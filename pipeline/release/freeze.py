"""``release-freeze``: the gates, then what was released, in three files. Nothing is tagged.

Whatever was on disk from an earlier freeze is replaced first by one that says that no freeze has
passed, so a crash in between never leaves a manifest that reads as passed for this tree.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.checks.report import write_report
from pipeline.checks.runner import Outcome, result_of
from pipeline.checks.session import CheckSession
from pipeline.checks.verdict import exit_code
from pipeline.contracts import paths
from pipeline.contracts.check_index import GATES
from pipeline.contracts.checks import CheckStatus
from pipeline.contracts.faults import ExitCode
from pipeline.engine.receipts import encode
from pipeline.platform import confined, disk_faults
from pipeline.platform.git import GitError, GitState, read_git_state
from pipeline.release import git_gates, handoff
from pipeline.release.gates import GateRun
from pipeline.release.git_gates import PHASES
from pipeline.release.manifest import release_manifest, statement
from pipeline.settings.model import Settings

STATEMENT = paths.REPORTS / "release-manifest.intoto.json"


@dataclass(frozen=True)
class Freeze:
    """How a freeze ended. ``tag_command`` is set only when every gate passed."""

    exit_code: int
    report: dict[str, Any]
    tag: str
    tag_command: str | None


def freeze(workspace: Path, settings: Settings, session: CheckSession, tag: str | None) -> Freeze:
    """Run the gates and write report, manifest and statement. Raises StorageError."""
    _withdraw(workspace)
    tag = tag or _default_tag(workspace, settings)
    before = read_git_state(workspace)
    run = GateRun(workspace, settings, tag)
    results = run.run(session.events)
    git = read_git_state(workspace)
    moved = _moved(before, git)
    if moved:
        results[0] = result_of(
            GATES[0], Outcome(1, 1, "moved during the freeze", moved, status=CheckStatus.FAIL)
        )
    code = exit_code(results)
    if git.head is not None:
        manifest = release_manifest(
            workspace,
            tag=tag,
            head=git.head,
            branch=git.branch,
            # Version 1 of the manifest has room for the pipeline's own phases alone.
            phase_commits={name: each for name, each in run.phase_commits.items() if name in PHASES},
            gates=results,
            ok=code == ExitCode.OK,
            engine_source=session.engine_source,
        )
        confined.write_file(workspace, paths.RELEASE_MANIFEST, encode(manifest))
        confined.write_file(workspace, STATEMENT, encode(statement(manifest)))
    command = tag_command(tag, git.head) if code == ExitCode.OK and git.head else None
    report = session.report(
        "release-freeze",
        results,
        code,
        facts={"git": git.to_dict(), "tag": tag, "tag_command": command},
        notes=_notes(workspace, settings, command),
    )
    write_report(workspace, paths.RELEASE_FREEZE, report)
    return Freeze(code, report, tag, command)


def tag_command(tag: str, commit: str) -> str:
    """The exact command that would tag, quoted for a shell. It names the commit, not HEAD."""
    return shlex.join(("git", "tag", "-a", "-m", f"Distillation release {tag}", "--", tag, commit))


def _withdraw(workspace: Path) -> None:
    """An earlier freeze's manifest says nothing about this one."""
    for relative in (paths.RELEASE_MANIFEST, STATEMENT):
        try:
            (workspace / relative).unlink(missing_ok=True)
        except OSError as error:
            raise disk_faults.storage_fault(error, workspace / relative) from error


def _default_tag(workspace: Path, settings: Settings) -> str:
    try:
        return git_gates.next_tag(workspace, settings.workspace.last_good_tag)
    except GitError:
        return settings.workspace.last_good_tag


def _moved(before: GitState, after: GitState) -> str:
    """What changed between the first gate and the last; empty when nothing did."""
    if before == after:
        return ""
    if before.problem or after.problem:
        return "the repository came or went while the gates ran"
    if before.head != after.head:
        return f"HEAD moved from {before.head} to {after.head} while the gates ran"
    different = sorted({*before.told} ^ {*after.told})
    return f"the tree changed while the gates ran: {', '.join(different[:5])}"


def _notes(workspace: Path, settings: Settings, command: str | None) -> list[str]:
    notes = ["Nothing was tagged. The manifest shows integrity, not authorship: it is not signed."]
    if command is not None:
        notes.append(f"Ready. To tag: {command}")
    if problem := handoff.what_is_wrong(workspace, settings):
        notes.append(f"{handoff.HANDOFF} {problem}: distill handoff")
    return notes
