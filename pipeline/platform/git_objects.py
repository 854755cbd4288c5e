"""What a repository holds: tags, commits, trees and blobs, read by GitPython.

Nothing is ever checked out, so no hook, filter or attribute has a say. GitPython reads the objects
through ``git cat-file``, which it starts with the environment of ``git.py``; the reading has a limit,
because a repository may name pipes where files belong, or trees that have no end.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pipeline.platform.git import (
    GIT_SECONDS,
    MOST_BYTES,
    GitError,
    is_repository,
    look_up,
    override_variables,
    resolve,
    run_git,
    scrubbed_environment,
)

if TYPE_CHECKING:  # it takes 0.1 s to import, which most commands do not need
    import git

MOST_ENTRIES = 500_000
_REGULAR = (0o100644, 0o100755)
_SUBMODULE = 0o160000
T = TypeVar("T")


@dataclass(frozen=True)
class TreeEntry:
    """One path of a commit. ``mode`` as git keeps it; submodules and links are entries too."""

    path: str
    mode: int
    oid: str

    @property
    def is_regular(self) -> bool:
        return self.mode in _REGULAR

    @property
    def is_submodule(self) -> bool:
        return self.mode == _SUBMODULE

    @property
    def permissions(self) -> int:
        return self.mode & 0o777


@dataclass(frozen=True)
class Commit:
    oid: str
    when: int  # seconds since the epoch
    author: str
    subject: str

    @property
    def told(self) -> str:
        """``0123456789ab Ines: what she did``."""
        return f"{self.oid[:12]} {self.author}: {self.subject}"


@dataclass(frozen=True)
class Change:
    """A path that differs from a commit: ``kind`` is changed, missing, added or odd (no plain file)."""

    path: str
    kind: str
    entry: TreeEntry | None


class Repository:
    """The repository whose top is ``root``. What cannot be read raises GitError."""

    def __init__(self, root: Path, *, limit_seconds: float = GIT_SECONDS) -> None:
        self._root = root
        self._limit_seconds = limit_seconds

    @property
    def is_repository(self) -> bool:
        return is_repository(self._root)

    def resolve_tag(self, tag: str) -> str | None:
        """The commit that the tag stands for, or None where there is no such tag. Raises GitError where git
        could not say: then there may be one.
        """
        return look_up(self._root, f"refs/tags/{tag}") if self.is_repository else None

    def resolve(self, revision: str) -> str | None:
        """The commit that a revision names (HEAD, a commit's id), or None."""
        return resolve(self._root, revision) if self.is_repository else None

    def tags(self) -> dict[str, str]:
        """Every tag, and the id that it points at: of the tag object, where it is annotated."""
        return self._read(lambda repo: {ref.name: ref.object.hexsha for ref in repo.tags})

    def entries(self, commit: str, paths: Sequence[str] = ()) -> list[TreeEntry]:
        """What ``commit`` holds at or below ``paths`` (all of it without paths), in the order of paths."""

        def look(repo: git.Repo) -> list[TreeEntry]:
            found: dict[str, TreeEntry] = {}
            for item in _items(repo.commit(commit).tree, paths):
                if len(found) >= MOST_ENTRIES:
                    raise ValueError(f"more than {MOST_ENTRIES:,} entries")
                found[str(item.path)] = TreeEntry(str(item.path), item.mode, item.hexsha)
            return [found[path] for path in sorted(found)]

        return self._read(look)

    def entry(self, commit: str, path: str) -> TreeEntry | None:
        """The entry at just ``path``."""
        return next((entry for entry in self.entries(commit, [path]) if entry.path == path), None)

    def blob(self, oid: str) -> bytes:
        """The very bytes of a blob."""
        return self.blobs([oid])[oid]

    def blobs(self, oids: Sequence[str]) -> dict[str, bytes]:
        """The very bytes of several blobs, by id."""

        def look(repo: git.Repo) -> dict[str, bytes]:
            found = {}
            for oid in dict.fromkeys(oids):
                binary = bytes.fromhex(oid)
                info = repo.odb.info(binary)
                if info.type != b"blob" or info.size > MOST_BYTES:
                    raise ValueError(f"{oid[:12]} is no blob of at most {MOST_BYTES:,} bytes")
                found[oid] = repo.odb.stream(binary).read()
            return found

        return self._read(look)

    def bytes_at(self, commit: str | None, path: str) -> bytes | None:
        """What ``commit`` holds at ``path``; None where that is no plain file."""
        entry = self.entry(commit, path) if commit else None
        return self.blob(entry.oid) if entry is not None and entry.is_regular else None

    def log(self, paths: Sequence[str], *, since: str | None = None, limit: int = 20) -> list[Commit]:
        """Commits that touched ``paths``, newest first, after ``since``."""
        span = f"{since}..HEAD" if since else "HEAD"
        words = ["rev-list", f"--max-count={limit}", "--end-of-options", span, "--", *paths]
        return self._commits(run_git(self._root, words).decode().split())

    def commit(self, oid: str) -> Commit:
        """What a commit says of itself."""
        return self._commits([oid])[0]

    def _commits(self, oids: Sequence[str]) -> list[Commit]:
        def look(repo: git.Repo) -> list[Commit]:
            found = []
            for oid in oids:
                one = repo.commit(oid)
                lines = str(one.message).strip().splitlines() or [""]
                found.append(Commit(oid, one.committed_date, str(one.author.name), lines[0]))
            return found

        return self._read(look) if oids else []

    def changes(self, commit: str, under: Sequence[str]) -> list[Change]:
        """How files at or below ``under`` differ from ``commit``, told by their bytes.

        git is not asked about the working tree: its index may be told to look away. Compiled Python
        and other caches that a run leaves behind are no change.
        """
        entries = {entry.path: entry for entry in self.entries(commit, under)}
        standing = _files_below(self._root, under)
        found = [Change(path, "added", None) for path in standing if path not in entries]
        for path, entry in entries.items():
            kind = _compare(self._root / path, entry)
            if kind is not None:
                found.append(Change(path, kind, entry))
        return sorted(found, key=lambda change: change.path)

    def _read(self, look: Callable[[git.Repo], T]) -> T:
        """What ``look`` found, in a thread that is left behind at the limit."""
        found: list[T] = []
        trouble: list[str] = []

        def work() -> None:
            try:
                with _opened(self._root) as repo:
                    found.append(look(repo))
            except Exception as error:  # noqa: BLE001 - what a broken repository makes of it has no end
                trouble.append(f"{type(error).__name__}: {error}".splitlines()[0])

        if not self.is_repository:
            raise GitError("not a git repository")
        with _no_git_variables():
            thread = threading.Thread(target=work, daemon=True)
            thread.start()
            thread.join(self._limit_seconds)
        if not found:
            why = trouble[0] if trouble else f"no answer within {self._limit_seconds:g} s"
            raise GitError(f"the repository cannot be read: {why}")
        return found[0]


@contextlib.contextmanager
def _opened(root: Path) -> Iterator[git.Repo]:
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    import git

    with git.Repo(root, search_parent_directories=False) as repo:
        with repo.config_reader("repository") as settings:
            for key, known in (("objectformat", "sha1"), ("refstorage", "files")):
                has = str(settings.get_value("extensions", key, known))
                if has != known:
                    raise ValueError(f"GitPython does not read {has}, which this repository is kept in")
        repo.git.update_environment(**scrubbed_environment(), **override_variables())
        yield repo


@contextlib.contextmanager
def _no_git_variables() -> Iterator[None]:
    """Hide GIT_* from GitPython, which obeys them itself and hands them on to git."""
    hidden = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("GIT_")}
    try:
        yield
    finally:
        os.environ.update(hidden)


def _items(tree: git.Tree, paths: Sequence[str]) -> Iterator[git.Tree | git.Blob | git.Submodule]:
    """Everything but folders at or below ``paths``."""
    tops: list[git.Tree | git.Blob | git.Submodule] = [tree]
    if paths:
        tops = []
        for path in paths:
            with contextlib.suppress(KeyError):
                tops.append(tree.join(path.rstrip("/")))
    while tops:
        item = tops.pop()
        if item.type == "tree":
            tops += list(item)
        else:
            yield item


def _compare(path: Path, entry: TreeEntry) -> str | None:
    if not entry.is_regular:
        return None if entry.is_submodule or path.is_symlink() else "odd"
    if path.is_symlink() or (os.path.lexists(path) and not path.is_file()):
        return "odd"
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return "missing"
    except OSError:
        return "odd"
    oid = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
    return None if oid == entry.oid else "changed"


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
