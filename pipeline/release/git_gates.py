"""What git must say before a release: clean, phases in history, a free tag name.

``git status`` alone can be fooled: files marked assume-unchanged or skip-worktree do not show.
So those flags are looked for, and a merge or rebase that is under way counts as not clean.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.checks.runner import Outcome
from pipeline.contracts import paths
from pipeline.contracts.checks import CheckStatus, Example
from pipeline.git_state import GitError, run_git

PHASES = tuple(f"P{number}" for number in range(9))

# Reports that commands write anew on every run; a change in them is no change of the release.
TOLERATED = (
    str(paths.REPORTS) + "/",
    str(paths.DATASET_CARD),
    "docs/distillation/operator-handoff.md",
)
_UNDER_WAY = ("MERGE_HEAD", "rebase-merge", "rebase-apply", "CHERRY_PICK_HEAD", "REVERT_HEAD", "BISECT_LOG")
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
_VERSION = re.compile(r"(.*?)(\d+)\Z")


@dataclass(frozen=True)
class TreeState:
    """HEAD and everything that differs from it, to be compared after the last gate."""

    head: str
    changes: tuple[str, ...]


def tree_state(workspace: Path) -> TreeState:
    """HEAD and the changes that are not tolerated. Raises GitError."""
    head = run_git(workspace, ("rev-parse", "--verify", "--end-of-options", "HEAD")).decode().strip()
    return TreeState(head, tuple(_changes(workspace)))


def clean_state(workspace: Path) -> Outcome:
    """Gate 1. Raises GitError."""
    found = [f"changed or untracked: {path}" for path in _changes(workspace)]
    found += [f"hidden from git status: {path}" for path in _hidden(workspace)]
    git_folder = run_git(workspace, ("rev-parse", "--absolute-git-dir")).decode().strip()
    found += [f"under way: {name}" for name in _UNDER_WAY if (Path(git_folder) / name).exists()]
    return Outcome(
        examined=1,
        failed=bool(found),
        observed=f"{len(found)} changes" if found else "clean",
        detail="; ".join(found[:10]) if found else f"tolerated: {', '.join(TOLERATED)}",
        threshold="nothing changed",
        examples=tuple(Example(text=text) for text in found),
    )


def _changes(workspace: Path) -> list[str]:
    raw = run_git(workspace, ("status", "--porcelain=v2", "-z", "--untracked-files=all", "--no-renames"))
    changed = []
    for entry in raw.decode("utf-8", "surrogateescape").split("\0"):
        kind, _, rest = entry.partition(" ")
        if kind == "1":
            changed.append(rest.split(" ", 7)[-1])
        elif kind == "u":
            changed.append(rest.split(" ", 9)[-1])
        elif kind == "?":
            changed.append(rest)
    return [path for path in changed if not path.startswith(TOLERATED)]


def _hidden(workspace: Path) -> list[str]:
    raw = run_git(workspace, ("ls-files", "-v", "-z"))
    entries = raw.decode("utf-8", "surrogateescape").split("\0")
    return [entry[2:] for entry in entries if entry[:1].islower() or entry.startswith("S ")]


def phase_commits(workspace: Path, phases: Mapping[str, str]) -> tuple[Outcome, dict[str, str]]:
    """Gate 3, and the full commit id of each phase that resolves. Raises GitError."""
    resolved: dict[str, str] = {}
    problems = []
    for phase in PHASES:
        named = phases.get(phase)
        if named is None:
            problems.append(f"{phase} is not recorded")
            continue
        commit = resolve(workspace, named)
        if commit is None:
            problems.append(f"{phase} = {named} names no commit")
        elif not _is_ancestor(workspace, commit):
            problems.append(f"{phase} = {named} is not in the history of HEAD")
        else:
            resolved[phase] = commit
    outcome = Outcome(
        examined=len(PHASES),
        failed=len(problems),
        observed=f"{len(resolved)} of {len(PHASES)} resolve",
        detail="; ".join(problems) or "every phase P0 to P8 is in the history of HEAD",
        threshold="all resolve, all ancestors of HEAD",
        examples=tuple(Example(file="distill.toml", text=problem) for problem in problems),
    )
    return outcome, resolved


def resolve(workspace: Path, revision: str) -> str | None:
    """The full id of the commit that ``revision`` names, or None."""
    try:
        wanted = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        return run_git(workspace, wanted).decode().strip() or None
    except GitError:
        return None


def _is_ancestor(workspace: Path, commit: str) -> bool:
    try:
        run_git(workspace, ("merge-base", "--is-ancestor", "--end-of-options", commit, "HEAD"))
    except GitError:
        return False
    return True


def tag_is_free(workspace: Path, tag: str) -> Outcome:
    """Gate 6: a plain name that is no tag yet. Remotes are not asked. Raises GitError."""
    if not _TAG.match(tag):
        return Outcome(1, 1, "not a plain name", f"{tag} must be letters, digits, dots, dashes, underscores")
    taken = tag in tag_names(workspace)
    remotes = run_git(workspace, ("remote",)).decode("utf-8", "replace").split()
    unasked = f"; not asked: remote {', '.join(remotes)}" if remotes else ""
    return Outcome(
        examined=1,
        failed=int(taken),
        observed="exists already" if taken else "free",
        detail=f"{tag} {'exists already' if taken else 'does not exist yet'}{unasked}",
        threshold="does not exist",
        status=CheckStatus.FAIL if taken else CheckStatus.PASS,
    )


def tag_names(workspace: Path) -> set[str]:
    """Every tag of the repository. Raises GitError."""
    listed = run_git(workspace, ("for-each-ref", "--format=%(refname:strip=2)", "refs/tags"))
    return set(listed.decode("utf-8", "replace").splitlines())


def next_tag(workspace: Path, last_good: str) -> str:
    """The next version after ``last_good`` that is free. Raises GitError."""
    taken = tag_names(workspace)
    match = _VERSION.match(last_good)
    stem, number = (match[1], int(match[2])) if match else (f"{last_good}-", 0)
    while True:
        number += 1
        if (candidate := f"{stem}{number}") not in taken:
            return candidate
