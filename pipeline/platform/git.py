"""The workspace's repository: how git is started, and what its working tree is like.

A repository is data from somebody else and can name programs to run: hooks, a file system monitor,
clean and smudge filters, an external diff, a pager, a remote's helper. Whatever starts git starts it
here: without those, without prompts, never through a shell, with a limit. What a commit holds is read
by ``git_objects``.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.contracts import paths
from pipeline.platform import process

GIT_SECONDS = 30.0
MOST_BYTES = 64 * 2**20

# What needs the repository, in an operator's words.
NEEDS_GIT = (
    "restoring a file from the last-good tag",
    "git evidence in wizards (who changed what, bisect)",
    "release-freeze (gates: clean state, phase commits, free tag)",
)
# Reports that commands write anew on every run: a change in them is nobody's change.
REGENERATED = (
    str(paths.REPORTS) + "/",
    str(paths.DATASET_CARD),
    "docs/distillation/operator-handoff.md",
)

# What a git process may inherit. GIT_* stays out: GIT_DIR alone would make it read another repository.
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
    "GIT_LITERAL_PATHSPECS": "1",
}
_OVERRIDES = (
    ("core.fsmonitor", "false"),
    ("core.hooksPath", os.devnull),
    ("core.untrackedCache", "false"),
    ("core.attributesFile", os.devnull),
    ("diff.external", ""),
    ("log.showSignature", "false"),
    ("submodule.recurse", "false"),
    ("advice.detachedHead", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    # A repository may not ask git to look less closely for changes.
    ("core.checkStat", "default"),
    ("core.trustctime", "true"),
)
# A commit of ours is the same on every machine: nobody's global settings have a say in it.
_WRITERS_ENVIRONMENT = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
_WRITERS_SETTINGS = (("commit.gpgSign", "false"), ("tag.gpgSign", "false"), ("core.autocrlf", "false"))
_HEARD = "distill.heard"
_FILTER_KEY = re.compile(r"(filter\..*)\.(?:clean|smudge|process|required)", re.DOTALL)
_UNDER_WAY = ("MERGE_HEAD", "rebase-merge", "rebase-apply", "CHERRY_PICK_HEAD", "REVERT_HEAD", "BISECT_LOG")


class GitError(Exception):
    """git is missing, refused, or took too long. The text is one line for an operator.

    ``exit_code`` is git's own, None when it came to no end of its own.
    """

    exit_code: int | None = None


# What ``rev-parse --verify --quiet`` ends with where nothing has that name.
_NO_SUCH_REVISION = 1


@dataclass(frozen=True)
class GitState:
    """``head`` is a full commit id, None before the first commit; ``branch`` is None when detached.

    ``changes`` are the paths that differ from HEAD, untracked files included (such a file may be part
    of the engine that runs) and REGENERATED ones left out. ``hidden`` are paths whose changes git was
    told not to show, ``under_way`` a merge and the like. ``problem`` is set when nothing could be read.
    """

    head: str | None = None
    branch: str | None = None
    changes: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    under_way: tuple[str, ...] = ()
    problem: str | None = None

    @property
    def told(self) -> tuple[str, ...]:
        """Everything that keeps it from being clean, each with the kind that it is of."""
        kinds = (
            ("changed or untracked", self.changes),
            ("hidden from git status", self.hidden),
            ("under way", self.under_way),
        )
        return tuple(f"{kind}: {name}" for kind, names in kinds for name in names)

    @property
    def dirty(self) -> bool | None:
        """Whether the tree may be another than HEAD's; None when that is not known."""
        return None if self.problem else bool(self.told)

    @property
    def cannot_offer(self) -> tuple[str, ...]:
        """What this workspace has to do without."""
        return NEEDS_GIT if self.problem else ()

    def to_dict(self) -> dict[str, str | bool | None] | None:
        """The ``git`` member of a receipt; None without a repository."""
        return None if self.problem else {"head": self.head, "branch": self.branch, "dirty": self.dirty}


@dataclass(frozen=True)
class Person:
    name: str
    email: str


def scrubbed_environment() -> dict[str, str]:
    """The environment in which git may run: nothing that redirects it, makes it ask, or names a program."""
    return {name: os.environ[name] for name in _INHERITED if name in os.environ} | _ENVIRONMENT


def override_variables(settings: Sequence[tuple[str, str]] = ()) -> dict[str, str]:
    """Settings for one git process that beat those of the repository: ours, then ``settings``."""
    overrides = (*_OVERRIDES, *settings)
    variables = {"GIT_CONFIG_COUNT": str(len(overrides))}
    for index, (key, value) in enumerate(overrides):
        variables[f"GIT_CONFIG_KEY_{index}"] = key
        variables[f"GIT_CONFIG_VALUE_{index}"] = value
    return variables


def run_git(
    root: Path,
    arguments: Sequence[str],
    *,
    limit_seconds: float = GIT_SECONDS,
    settings: Sequence[tuple[str, str]] = (),
    environment: Mapping[str, str] | None = None,
) -> bytes:
    """Standard output of ``git ARGUMENTS`` in the repository at ``root``, started without its programs.

    Callers put ``--end-of-options`` before anything that is not theirs. Raises GitError.
    """
    every = (*_silenced_filters(root, limit_seconds), *settings)
    return _start(root, ("--work-tree=.", *arguments), limit_seconds, every, environment)


def write_git(root: Path, arguments: Sequence[str], author: Person) -> str:
    """What git printed while it changed a repository of our own making. Raises GitError."""
    environment = dict(_WRITERS_ENVIRONMENT)
    for role in ("AUTHOR", "COMMITTER"):
        environment |= {f"GIT_{role}_NAME": author.name, f"GIT_{role}_EMAIL": author.email}
    said = _start(root, ("--work-tree=.", *arguments), GIT_SECONDS, _WRITERS_SETTINGS, environment)
    return said.decode("utf-8", "replace").strip()


def make_repository(root: Path) -> None:
    """``git init`` in ``root``, without the user's template, whose hooks would be copied. Raises GitError."""
    _start(root, ("init", "--quiet", "--template=", "--initial-branch=main"), GIT_SECONDS)


def clone_repository(root: Path, into: Path, *, limit_seconds: float) -> None:
    """Copy history and tags, and neither hooks nor settings. Raises GitError."""
    words = ("clone", "--quiet", "--template=", "--no-hardlinks", "--no-recurse-submodules")
    ends = ("--end-of-options", str(root), str(into))
    _start(root, (*words, *ends), limit_seconds, environment={"GIT_ALLOW_PROTOCOL": "file"})


def is_repository(root: Path) -> bool:
    """Whether ``root`` itself is the top of one; one further up is somebody else's."""
    return os.path.lexists(root / ".git")


def resolve(root: Path, revision: str, *, limit_seconds: float = GIT_SECONDS) -> str | None:
    """The full id of the commit that ``revision`` names, or None, also when git cannot tell."""
    try:
        return look_up(root, revision, limit_seconds=limit_seconds)
    except GitError:
        return None


def look_up(root: Path, revision: str, *, limit_seconds: float = GIT_SECONDS) -> str | None:
    """The full id of the commit that ``revision`` names; None when git said that there is none.

    Raises GitError when it could not say.
    """
    wanted = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    try:
        return _start(root, wanted, limit_seconds).decode().strip() or None
    except GitError as error:
        if error.exit_code == _NO_SUCH_REVISION:
            return None
        raise


def resolve_tag(root: Path, tag: str, *, limit_seconds: float = GIT_SECONDS) -> str | None:
    """The commit that the tag stands for, annotated or not, or None where there is no such tag."""
    return resolve(root, f"refs/tags/{tag}", limit_seconds=limit_seconds)


def read_git_state(root: Path, *, limit_seconds: float = GIT_SECONDS) -> GitState:
    """Head, branch and dirtiness of the repository whose top is ``root``. Never raises.

    Asked often and by those who must be quick, it needs no GitPython, which takes 0.1 s to import.
    """
    if not is_repository(root):
        return GitState(problem="not a git repository")
    look = ("status", "--porcelain=v2", "--branch", "-z", "--untracked-files=all", "--no-renames")
    try:
        # A submodule's own settings could name programs: its commit is compared, its tree is not looked at.
        raw = run_git(root, (*look, "--ignore-submodules=dirty"), limit_seconds=limit_seconds)
        flags = _start(root, ("ls-files", "-v", "-z"), limit_seconds)
        under_way = tuple(name for name in _UNDER_WAY if (_git_folder(root) / name).exists())
    except GitError as error:
        return GitState(problem=str(error))
    head = branch = None
    changes = []
    for entry in raw.decode("utf-8", "surrogateescape").split("\0"):
        match entry.split(" ", 2):
            case ["#", "branch.oid", oid]:
                head = None if oid == "(initial)" else oid
            case ["#", "branch.head", name]:
                branch = None if name == "(detached)" else name
            case ["1", *_]:
                changes.append(entry.split(" ", 8)[-1])
            case ["u", *_]:
                changes.append(entry.split(" ", 10)[-1])
            case ["?", *_]:
                changes.append(entry[2:])
            case _:
                pass
    files = flags.decode("utf-8", "surrogateescape").split("\0")
    return GitState(
        head=head,
        branch=branch,
        changes=tuple(path for path in changes if not path.startswith(REGENERATED)),
        # In lower case: assume-unchanged. S: skip-worktree.
        hidden=tuple(each[2:] for each in files if each[:1].islower() or each.startswith("S ")),
        under_way=under_way,
    )


def git_version(limit_seconds: float) -> str:
    """``git version 2.39.5``. Raises GitError."""
    return _start(Path("/"), ("version",), limit_seconds).decode("utf-8", "replace").strip()


def _git_folder(root: Path) -> Path:
    """Where git keeps what is under way; a linked working tree names the place in a file."""
    place = root / ".git"
    try:
        if place.is_file():
            return root / place.read_text("utf-8", "surrogateescape").partition("gitdir: ")[2].strip()
    except OSError as error:
        raise GitError(f"{place.name} cannot be read: {error.strerror}") from error
    return place


def _silenced_filters(root: Path, limit_seconds: float) -> list[tuple[str, str]]:
    """Overrides that turn off each filter which the repository's own settings define.

    ``git status`` runs clean filters on files whose size or time changed. Filters of the user's
    settings (LFS) stay: a repository can choose them, but not what they run.
    """
    words = ("config", "--list", "--null", "--show-scope", "--name-only")
    listed = (
        _start(root, words, limit_seconds, ((_HEARD, "yes"),)).decode("utf-8", "surrogateescape").split("\0")
    )
    told = list(zip(listed[::2], listed[1::2], strict=False))
    if ("command", _HEARD) not in told:
        raise GitError("git is older than 2.31 and cannot be kept from running what the repository names")
    own = [_FILTER_KEY.fullmatch(key) for scope, key in told if scope in ("local", "worktree")]
    names = {match[1] for match in own if match}
    return [
        (f"{name}.{key}", value)
        for name in sorted(names)
        for key, value in (("clean", ""), ("smudge", ""), ("process", ""), ("required", "false"))
    ]


def _start(
    root: Path,
    arguments: Sequence[str],
    limit_seconds: float,
    settings: Sequence[tuple[str, str]] = (),
    environment: Mapping[str, str] | None = None,
) -> bytes:
    ours = {**scrubbed_environment(), "GIT_CEILING_DIRECTORIES": str(root.parent)}
    ended = process.run(
        ["git", "--no-pager", *arguments],
        limit_seconds=limit_seconds,
        cwd=root,
        env={**ours, **(environment or {}), **override_variables(settings)},
        keep_bytes=MOST_BYTES,
        dies_with_us=limit_seconds > GIT_SECONDS,
    )
    if ended.exit_code is None and shutil.which("git", path=ours.get("PATH")) is None:
        raise GitError("git is not installed")
    if ended.exit_code != 0:
        said = ended.why or (ended.said[0] if ended.said else f"git ended with {ended.exit_code}")
        error = GitError(said)
        error.exit_code = ended.exit_code
        raise error
    return ended.stdout
