"""Read the repository without running anything that it names.

A workspace is somebody else's data. Its repository can name hooks, filters, a file system
monitor, an external diff; none of them is started here, because nothing is ever checked out and
git is never asked about the working tree: what differs from a commit is told by hashing files
ourselves, and content comes from ``git cat-file``. Revisions go behind ``--end-of-options``.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.platform.process import Ended, run

GIT_SECONDS = 30.0
REGULAR = (0o100644, 0o100755)
_INHERITED = ("PATH", "HOME", "USER", "LOGNAME", "XDG_CONFIG_HOME", "TMPDIR")
_ENVIRONMENT = {
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "true",
    "SSH_ASKPASS": "true",
    "GIT_PAGER": "cat",
    "GIT_EDITOR": "false",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_LITERAL_PATHSPECS": "1",
}
_OVERRIDES = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.untrackedCache=false",
    "core.attributesFile=/dev/null",
    "diff.external=",
    "log.showSignature=false",
    "submodule.recurse=false",
    "protocol.allow=never",
)


class GitSilentError(Exception):
    """git is missing, refused or took too long. The text is one line for an operator."""


@dataclass(frozen=True)
class TreeEntry:
    """One path of a commit. ``mode`` as git writes it; submodules and links are entries too."""

    path: str
    mode: int
    kind: str
    oid: str

    @property
    def is_regular(self) -> bool:
        return self.kind == "blob" and self.mode in REGULAR

    @property
    def permissions(self) -> int:
        return self.mode & 0o777


@dataclass(frozen=True)
class Commit:
    oid: str
    when: int  # seconds since the epoch
    author: str
    subject: str


@dataclass(frozen=True)
class Change:
    """A path that differs from a commit: ``kind`` is changed, missing, added or odd (no plain file)."""

    path: str
    kind: str
    entry: TreeEntry | None


class Git:
    """The repository whose top is ``root``."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def is_repository(self) -> bool:
        return os.path.lexists(self._root / ".git")

    def resolve_tag(self, tag: str) -> str | None:
        """The commit that the tag stands for, or None where there is no such tag."""
        return self._resolve(f"refs/tags/{tag}^{{commit}}")

    def resolve(self, revision: str) -> str | None:
        """The commit that a revision names (HEAD, a commit's id), or None."""
        return self._resolve(f"{revision}^{{commit}}")

    def _resolve(self, revision: str) -> str | None:
        ran = self._run(["rev-parse", "--verify", "--quiet", "--end-of-options", revision])
        return ran.text.strip() or None if ran.exit_code == 0 else None

    def entries(self, commit: str, paths: Sequence[str] = ()) -> list[TreeEntry]:
        """What ``commit`` holds at or below ``paths`` (all of it without paths). Raises GitSilentError."""
        raw = self._ask(["ls-tree", "-r", "-z", "--full-tree", "--end-of-options", commit, *paths])
        found = []
        for line in raw.split(b"\0"):
            head, tab, name = line.partition(b"\t")
            if tab:
                mode, kind, oid = head.split()
                found.append(TreeEntry(os.fsdecode(name), int(mode, 8), kind.decode(), oid.decode()))
        return found

    def entry(self, commit: str, path: str) -> TreeEntry | None:
        """The entry at just ``path``. Raises GitSilentError."""
        return next((entry for entry in self.entries(commit, [path]) if entry.path == path), None)

    def blob(self, oid: str) -> bytes:
        """The very bytes of a blob. Raises GitSilentError."""
        return self._ask(["cat-file", "blob", oid])

    def changes(self, commit: str, under: Sequence[str]) -> list[Change]:
        """How files at or below ``under`` differ from ``commit``, told by their bytes. Raises GitSilentError.

        Compiled Python and other caches that a run leaves behind are no change.
        """
        entries = {entry.path: entry for entry in self.entries(commit, under)}
        found = []
        for path, entry in entries.items():
            kind = _compare(self._root / path, entry)
            if kind is not None:
                found.append(Change(path, kind, entry))
        for path in _files_below(self._root, under):
            if path not in entries:
                found.append(Change(path, "added", None))
        return sorted(found, key=lambda change: change.path)

    def log(self, paths: Sequence[str], *, since: str | None = None, limit: int = 20) -> list[Commit]:
        """Commits that touched ``paths``, newest first, after ``since``. Raises GitSilentError."""
        return self._log(f"{since}..HEAD" if since else "HEAD", limit, paths)

    def commit(self, oid: str) -> Commit | None:
        """What a commit says of itself. Raises GitSilentError."""
        return next(iter(self._log(oid, 1, ())), None)

    def _log(self, revision: str, limit: int, paths: Sequence[str]) -> list[Commit]:
        shape = "--format=%H%x1f%ct%x1f%an%x1f%s"
        words = ["log", "-z", f"--max-count={limit}", "--no-show-signature", shape]
        raw = self._ask([*words, "--end-of-options", revision, "--", *paths])
        found = []
        for record in raw.decode("utf-8", "replace").split("\0"):
            parts = record.strip("\n").split("\x1f")
            if len(parts) == 4:
                found.append(Commit(parts[0], int(parts[1]), parts[2], parts[3]))
        return found

    def tags(self) -> dict[str, str]:
        """Tag to the id it points at (of the tag object, where annotated). Raises GitSilentError."""
        raw = self._ask(["for-each-ref", "--format=%(refname:strip=2)%00%(objectname)", "refs/tags"])
        return dict(
            line.split("\0", 1) for line in raw.decode("utf-8", "replace").splitlines() if "\0" in line
        )

    def ask(self, arguments: Sequence[str], *, seconds: float = GIT_SECONDS) -> bytes:
        """Standard output of a read-only git command. Raises GitSilentError."""
        return self._ask(arguments, seconds)

    def _ask(self, arguments: Sequence[str], seconds: float = GIT_SECONDS) -> bytes:
        ran = self._run(arguments, seconds)
        if ran.exit_code != 0:
            why = ran.reason
            raise GitSilentError(f"git {arguments[0]}: {why}")
        return ran.stdout

    def _run(self, arguments: Sequence[str], seconds: float = GIT_SECONDS) -> Ended:
        settings = [word for override in _OVERRIDES for word in ("-c", override)]
        argv = ["git", "--no-pager", *settings, *arguments]
        environment = git_environment() | {"GIT_CEILING_DIRECTORIES": str(self._root.parent)}
        return run(argv, limit_seconds=seconds, cwd=self._root, env=environment)


def git_environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """What git may inherit: nothing that redirects it, makes it ask, or names a program."""
    source = os.environ if base is None else base
    return {name: source[name] for name in _INHERITED if name in source} | _ENVIRONMENT


def blob_oid(data: bytes, like: str) -> str:
    """The id git gives these bytes, in the hash that the id ``like`` was made with."""
    header = b"blob %d\0" % len(data)
    if len(like) == 64:
        return hashlib.sha256(header + data).hexdigest()
    return hashlib.sha1(header + data, usedforsecurity=False).hexdigest()


def _compare(path: Path, entry: TreeEntry) -> str | None:
    if not entry.is_regular:
        return None if entry.mode == 0o160000 or path.is_symlink() else "odd"
    if path.is_symlink() or (os.path.lexists(path) and not path.is_file()):
        return "odd"
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return "missing"
    except OSError:
        return "odd"
    return None if blob_oid(data, entry.oid) == entry.oid else "changed"


def _files_below(root: Path, under: Sequence[str]) -> list[str]:
    found = []
    for name in under:
        top = root / name
        if top.is_symlink() or not top.is_dir():
            if top.is_file():
                found.append(name)
            continue
        for folder, folders, files in os.walk(top):
            folders[:] = [each for each in folders if each not in ("__pycache__", ".git")]
            found += [
                os.path.relpath(Path(folder) / file, root) for file in files if not file.endswith(".pyc")
            ]
    return found
