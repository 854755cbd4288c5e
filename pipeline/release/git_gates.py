"""What git must say before a release: clean, phases in history, a free tag name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from pipeline.checks.runner import Outcome
from pipeline.contracts.checks import CheckStatus, Example
from pipeline.contracts.plurals import plural
from pipeline.platform.git import REGENERATED, GitError, read_git_state, resolve, run_git
from pipeline.platform.git_objects import Repository

PHASES = tuple(f"P{number}" for number in range(9))
# P9 is the release itself; what a workspace adds begins after it.
NEXT_PHASE = "P10"

_OWN = re.compile(r"P[1-9][0-9]{1,2}\Z")
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
_VERSION = re.compile(r"(.*?)(\d+)\Z")


def clean_state(workspace: Path) -> Outcome:
    """Gate 1. Raises GitError."""
    state = read_git_state(workspace)
    if state.problem:
        raise GitError(state.problem)
    found = state.told
    return Outcome(
        examined=1,
        failed=bool(found),
        observed=plural(len(found), "change") if found else "clean",
        detail="; ".join(found[:10]) if found else f"tolerated: {', '.join(REGENERATED)}",
        threshold="nothing changed",
        examples=tuple(Example(text=text) for text in found),
    )


def phases_of(recorded: Iterable[str]) -> tuple[str, ...]:
    """Every phase that a release tells of: P0 to P8, then those that the workspace added and recorded."""
    own = [each for each in recorded if is_own_phase(each)]
    return (*PHASES, *sorted(own, key=lambda each: int(each[1:])))


def is_own_phase(name: str) -> bool:
    """Whether ``name`` is that of a phase beyond the release's own: P10 to P999."""
    return bool(_OWN.match(name))


def phase_commits(workspace: Path, phases: Mapping[str, str]) -> tuple[Outcome, dict[str, str]]:
    """Gate 3, and the full commit id of each phase that resolves. Raises GitError."""
    resolved: dict[str, str] = {}
    problems = []
    known = phases_of(phases)
    for phase in known:
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
    own = "".join(f", {each}" for each in known[len(PHASES) :])
    outcome = Outcome(
        examined=len(known),
        failed=len(problems),
        observed=f"{len(resolved)} of {len(known)} resolve",
        detail="; ".join(problems)
        or f"every phase is in the history of HEAD: {PHASES[0]} to {PHASES[-1]}{own}",
        threshold="all resolve, all ancestors of HEAD",
        examples=tuple(Example(file="distill.toml", text=problem) for problem in problems),
    )
    return outcome, resolved


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
    taken = tag in Repository(workspace).tags()
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


def next_tag(workspace: Path, last_good: str) -> str:
    """The next version after ``last_good`` that is free. Raises GitError."""
    taken = Repository(workspace).tags()
    match = _VERSION.match(last_good)
    stem, number = (match[1], int(match[2])) if match else (f"{last_good}-", 0)
    while True:
        number += 1
        if (candidate := f"{stem}{number}") not in taken:
            return candidate
