"""Git as a person types it: under a name of its own, and without the settings of this machine."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

NAME, MAIL = "mira", "mira@example.org"


def git(root: Path, *words: str | bytes) -> str:
    """What ``git WORDS`` says in ``root``, without its line end. Raises CalledProcessError."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(root.parent),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    for role in ("AUTHOR", "COMMITTER"):
        environment |= {f"GIT_{role}_NAME": NAME, f"GIT_{role}_EMAIL": MAIL}
    done = subprocess.run(["git", *words], cwd=root, env=environment, capture_output=True, check=True)
    return done.stdout.decode(errors="surrogateescape").strip()
