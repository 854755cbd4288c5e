"""Branch, head, dirty and last-good tag, asked of ``git`` without running anything of the workspace.

A repository can name programs to run: hooks, fsmonitor, clean filters, an askpass. Each is
switched off for the question, the environment is scrubbed, and an answer that takes longer
than the limit is "not known". GitPython would do as much, but takes 0.2 s to import.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from console.state import staleness
from pipeline.contracts.status import GitStatus, Origin

GIT_SECONDS = 2.0
CACHE_SECONDS = 5.0
_SAFE = (
    "--no-optional-locks",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.attributesFile=/dev/null",
    "-c",
    "submodule.recurse=false",
)
_KEPT_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "USER", "LOGNAME")


class GitReader:
    """Answers are kept for some seconds: a dashboard asks more often than a tree changes."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: GitStatus | None = None
        self._asked_for = ""

    def read(self, last_good_tag: str, now: float) -> GitStatus:
        known = self._known
        if known is not None and self._asked_for == last_good_tag:
            age = staleness.age_seconds(known.origin.as_of, now)
            if age is not None and age <= CACHE_SECONDS:
                return known
        self._known, self._asked_for = read_git(self._root, last_good_tag, now), last_good_tag
        return self._known


def read_git(root: Path, last_good_tag: str, now: float) -> GitStatus:
    """What git says of the workspace. Never raises; what it could not tell is None with a note."""
    origin = Origin("live", now, staleness.of_live(now, now))
    if not (root / ".git").exists():
        return GitStatus(last_good_tag=last_good_tag, origin=origin, note="not a git repository")
    try:
        filters = _filters_off(root)
        status = _git(
            root,
            ["status", "--porcelain=v2", "--branch", "--untracked-files=no", "--ignore-submodules=all"],
            filters,
        )
    except GitSilentError as error:
        return GitStatus(True, last_good_tag=last_good_tag, origin=origin, note=str(error))
    branch = head = None
    dirty = False
    for line in status.split("\n"):  # a name may hold other line ends than this one
        if line.startswith("# branch.oid "):
            oid = line.removeprefix("# branch.oid ")
            head = None if oid == "(initial)" else oid
        elif line.startswith("# branch.head "):
            name = line.removeprefix("# branch.head ")
            branch = None if name == "(detached)" else name
        elif line and not line.startswith("#"):
            dirty = True
    tag, note = None, ""
    if last_good_tag:
        try:
            revision = f"refs/tags/{last_good_tag}^{{commit}}"
            tag = _git(root, ["rev-parse", "--verify", "--quiet", "--end-of-options", revision], {}).strip()
        except GitSilentError:
            note = f"no tag {last_good_tag}"
    return GitStatus(True, branch, head, dirty, last_good_tag, tag, origin, note)


class GitSilentError(Exception):
    """Git failed, refused or took too long; the text is one line for a person."""


def _filters_off(root: Path) -> dict[str, str]:
    """Environment that empties every filter driver which the repository's settings define."""
    try:
        listed = _git(root, ["config", "--null", "--name-only", "--get-regexp", r"^filter\."], {})
    except GitSilentError as error:
        if "exit code 1" in str(error):  # git's way to say that nothing matched
            return {}
        raise
    names = [name for name in listed.split("\0") if name]
    overrides = {"GIT_CONFIG_COUNT": str(len(names))}
    for index, name in enumerate(names):
        overrides[f"GIT_CONFIG_KEY_{index}"] = name
        overrides[f"GIT_CONFIG_VALUE_{index}"] = "false" if name.endswith(".required") else ""
    return overrides


def _git(root: Path, arguments: list[str], extra: Mapping[str, str]) -> str:
    environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    environment |= {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "/bin/false",
        "GIT_CEILING_DIRECTORIES": str(root.parent),
        **extra,
    }
    try:
        done = subprocess.run(
            ["git", *_SAFE, *arguments],
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=GIT_SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        raise GitSilentError("git is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise GitSilentError(f"git did not answer within {GIT_SECONDS:.0f} s") from error
    except OSError as error:
        raise GitSilentError(f"git could not be run: {error.strerror}") from error
    if done.returncode != 0:
        last = done.stderr.decode(errors="replace").strip().splitlines()
        raise GitSilentError(
            f"git {arguments[0]}: exit code {done.returncode} {last[-1] if last else ''}".strip()
        )
    return done.stdout.decode(errors="replace")
