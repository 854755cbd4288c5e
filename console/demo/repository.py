"""Git for a workspace that is being built: own identity, no hooks, nobody's configuration."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.contracts.faults import StorageError
from pipeline.platform.git import GitError, Person, make_repository, write_git

BRANCH = "main"
_AUTHOR = Person("Distill demo", "demo@distill.invalid")
# For whoever commits in the demo later.
_LOCAL_CONFIG = {
    "user.name": _AUTHOR.name,
    "user.email": _AUTHOR.email,
    "commit.gpgSign": "false",
    "tag.gpgSign": "false",
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.autocrlf": "false",
    "gc.auto": "0",
}


class Repository:
    """The repository at ``root``; ``create`` makes it or takes over one that is there."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def create(self) -> None:
        with _git_errors_told():
            make_repository(self.root)
        for name, value in _LOCAL_CONFIG.items():
            self._git("config", "--local", name, value)

    def commit(self, paths: Sequence[str], subject: str, body: str) -> str:
        """Commit ``paths`` and return the commit's hash. A path that is not there is left out."""
        present = [path for path in paths if (self.root / path).exists()]
        if present:
            self._git("add", "--", *present)
        self._git("commit", "--quiet", "--allow-empty", "--no-verify", "-m", subject, "-m", body)
        return self._git("rev-parse", "HEAD")

    def tag(self, name: str, message: str) -> None:
        self._git("tag", "--annotate", "-m", message, "--end-of-options", name)

    def _git(self, *arguments: str) -> str:
        with _git_errors_told():
            return write_git(self.root, arguments, _AUTHOR)


@contextlib.contextmanager
def _git_errors_told() -> Iterator[None]:
    try:
        yield
    except GitError as cause:
        raise StorageError.of(
            code="repository_not_built",
            what_happened=f"The demo's history could not be made: {cause}",
            kept_safe="The unfinished workspace was removed; nothing else was touched.",
            do_next="Check git, the disk and the directory's permissions, then run this command again.",
        ) from cause
