"""Git for a workspace that is being built: own identity, no hooks, nobody's configuration.

A user's global configuration may sign commits, start monitors or run hooks, and a machine may
have none at all; both have to give the same repository.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from pipeline.contracts.faults import Fault, StorageError

BRANCH = "main"
_LOCAL_CONFIG = {
    "user.name": "Distill demo",
    "user.email": "demo@distill.invalid",
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
        # symbolic-ref instead of --initial-branch: that option needs git 2.28.
        self._git("init", "--quiet", "--template=")
        if not self._git("for-each-ref", "--count=1"):
            self._git("symbolic-ref", "HEAD", f"refs/heads/{BRANCH}")
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
        try:
            done = subprocess.run(
                ["git", *arguments],
                cwd=self.root,
                env=_scrubbed_environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                check=True,
            )
        except FileNotFoundError as cause:
            raise _fault("git was not found on PATH", "Install git, then run this command again.") from cause
        except subprocess.CalledProcessError as cause:
            said = cause.stderr.strip().splitlines() or ["it said nothing"]
            raise _fault(
                f"git {arguments[0]} ended with {cause.returncode}: {said[-1]}",
                "Check the disk and the directory's permissions, then run this command again.",
            ) from cause
        return done.stdout.strip()


def _scrubbed_environment() -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    env |= {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }
    return env


def _fault(what_happened: str, do_next: str) -> StorageError:
    return StorageError(
        Fault(
            code="repository_not_built",
            what_happened=what_happened,
            kept_safe="The unfinished workspace was removed; nothing else was touched.",
            do_next=do_next,
        )
    )
