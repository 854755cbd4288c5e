"""What the workspace's git repository says: head, branch, dirty, tags.

A repository is data from somebody else and can name programs to run: hooks, a file system
monitor, clean and smudge filters, an external diff, a pager. ``run_git`` starts git so that
none of them is started, and never through a shell. A workspace that is not a git repository
works; ``GitState.problem`` says why there is nothing to read.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TIMEOUT_SECONDS = 30.0

# What needs the repository, in an operator's words.
NEEDS_GIT = (
    "restoring a file from the last-good tag",
    "git evidence in wizards (who changed what, bisect)",
    "release-freeze (gates: clean state, phase commits, free tag)",
)

# Variables a git process may inherit. Everything called GIT_* stays out: GIT_DIR alone would
# make it read another repository.
_INHERITED = ("PATH", "HOME", "USER", "LOGNAME", "XDG_CONFIG_HOME", "TMPDIR", "SYSTEMROOT")
_ENVIRONMENT = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "true",
    "SSH_ASKPASS": "true",
    "GIT_PAGER": "cat",
    "GIT_EDITOR": "false",
    # Reading must not write: no refresh of the index, no fetch of missing objects.
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_REPLACE_OBJECTS": "1",
}
_OVERRIDES = (
    ("core.fsmonitor", "false"),
    ("core.hooksPath", os.devnull),
    ("core.untrackedCache", "false"),
    ("core.attributesFile", os.devnull),
    ("diff.external", ""),
    ("log.showSignature", "false"),
    ("submodule.recurse", "false"),
)
_FILTER_KEYS = r"^filter\..*\.(clean|smudge|process|required)$"


class GitError(Exception):
    """git is missing, refused, or took too long. The text is one line for an operator."""


@dataclass(frozen=True)
class GitState:
    """``head`` is a full commit id, None before the first commit; ``branch`` is None when detached.

    ``dirty`` means that ``git status`` would name anything, an untracked file included: such a
    file may be part of the engine that runs. ``problem`` is set when nothing could be read, and
    then the other fields are None.
    """

    head: str | None = None
    branch: str | None = None
    dirty: bool | None = None
    problem: str | None = None

    @property
    def cannot_offer(self) -> tuple[str, ...]:
        """What this workspace has to do without."""
        return NEEDS_GIT if self.problem else ()

    def to_dict(self) -> dict[str, str | bool | None] | None:
        """The ``git`` member of a receipt; None without a repository."""
        return None if self.problem else {"head": self.head, "branch": self.branch, "dirty": self.dirty}


@dataclass(frozen=True)
class GitTag:
    """A tag and the full id of the commit that it stands for, annotated or not."""

    name: str
    commit: str


def scrubbed_environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment in which git may run: nothing that redirects it or makes it ask."""
    source = os.environ if base is None else base
    return {name: source[name] for name in _INHERITED if name in source} | _ENVIRONMENT


def run_git(root: Path, arguments: Sequence[str], *, timeout_seconds: float = TIMEOUT_SECONDS) -> bytes:
    """Standard output of ``git ARGUMENTS`` in the repository at ``root``, started without its programs.

    Callers put ``--end-of-options`` before anything that is not theirs. Raises GitError.
    """
    overrides = (*_OVERRIDES, *_silenced_filters(root, timeout_seconds))
    return _start(root, ("--work-tree=.", *arguments), overrides, timeout_seconds)


def read_git_state(root: Path) -> GitState:
    """Head, branch and dirtiness of the repository whose top is ``root``."""
    if not os.path.lexists(root / ".git"):
        return GitState(problem="not a git repository")
    try:
        raw = run_git(root, ("status", "--porcelain=v2", "--branch", "-z", "--ignore-submodules=all"))
    except GitError as error:
        return GitState(problem=str(error))
    head = branch = None
    dirty = False
    for entry in raw.decode("utf-8", "surrogateescape").split("\0"):
        match entry.split(" ", 2):
            case ["#", "branch.oid", oid]:
                head = None if oid == "(initial)" else oid
            case ["#", "branch.head", name]:
                branch = None if name == "(detached)" else name
            case ["#", *_] | [""]:
                pass
            case _:
                dirty = True
    return GitState(head=head, branch=branch, dirty=dirty)


def read_tags(root: Path) -> tuple[GitTag, ...]:
    """The repository's tags by name; tags of something other than a commit are left out.

    Raises GitError where there is no readable repository.
    """
    if shutil.which("git") is None:
        raise GitError("git is not installed")
    # Starting GitPython takes about 0.1 s, and most commands need no tags.
    with _no_git_variables():
        from git import Repo
        from git.exc import GitError as GitPythonError

        tags = []
        try:
            with Repo(root, search_parent_directories=False) as repository:
                repository.git.update_environment(**_ENVIRONMENT, **_as_variables(_OVERRIDES))
                for tag in repository.tags:
                    with contextlib.suppress(ValueError):
                        tags.append(GitTag(tag.name, tag.commit.hexsha))
        except (GitPythonError, OSError, ValueError) as error:
            raise GitError(f"the tags cannot be read: {type(error).__name__}") from error
    return tuple(sorted(tags, key=lambda tag: tag.name))


def make_repository(root: Path) -> None:
    """``git init`` in ``root``, without the user's template, whose hooks would be copied. Raises GitError."""
    _start(root, ("init", "--quiet", "--template=", "--initial-branch=main"), _OVERRIDES, TIMEOUT_SECONDS)


@contextlib.contextmanager
def _no_git_variables() -> Iterator[None]:
    """Hide GIT_* from GitPython, which obeys them itself and hands them on to git."""
    hidden = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("GIT_")}
    try:
        yield
    finally:
        os.environ.update(hidden)


def _as_variables(overrides: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Settings for one git process, which beat those of the repository."""
    variables = {"GIT_CONFIG_COUNT": str(len(overrides))}
    for index, (key, value) in enumerate(overrides):
        variables[f"GIT_CONFIG_KEY_{index}"] = key
        variables[f"GIT_CONFIG_VALUE_{index}"] = value
    return variables


def _silenced_filters(root: Path, timeout_seconds: float) -> list[tuple[str, str]]:
    """Overrides that turn off each filter which the repository's own settings define.

    ``git status`` runs clean filters on files whose size or time changed. Filters of the user's
    settings (LFS) stay: a repository can choose them, but not what they run.
    """
    listing = _start(
        root,
        ("config", "--null", "--show-scope", "--name-only", "--get-regexp", _FILTER_KEYS),
        (),
        timeout_seconds,
        accepted=(0, 1),
    )
    words = listing.decode("utf-8", "surrogateescape").split("\0")
    own = {key for scope, key in zip(words[::2], words[1::2], strict=False) if scope in ("local", "worktree")}
    names = {key.rpartition(".")[0] for key in own}
    return [
        (f"{name}.{key}", value)
        for name in sorted(names)
        for key, value in (("clean", ""), ("smudge", ""), ("process", ""), ("required", "false"))
    ]


def _start(
    root: Path,
    arguments: Sequence[str],
    overrides: Sequence[tuple[str, str]],
    timeout_seconds: float,
    accepted: tuple[int, ...] = (0,),
) -> bytes:
    environment = scrubbed_environment() | _as_variables(overrides)
    environment["GIT_CEILING_DIRECTORIES"] = str(root.parent)
    try:
        done = subprocess.run(
            ["git", "--no-pager", *arguments],
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout_seconds,
            check=False,
        )
    except FileNotFoundError as error:
        raise GitError("git is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise GitError(f"git {arguments[0]} took longer than {timeout_seconds:g} seconds") from error
    except OSError as error:
        raise GitError(f"git could not be started: {error.strerror or error}") from error
    if done.returncode not in accepted:
        words = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise GitError(words[0] if words else f"git ended with {done.returncode}")
    return done.stdout
