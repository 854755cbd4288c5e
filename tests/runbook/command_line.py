"""``distill`` as an operator types it: in this process, or in one of its own where that is the subject.

``tests/runbook/test_commands.py`` starts every verb of the runbook as a process.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

from console.cli.commands import BY_NAME
from console.cli.distill import main
from tests.architecture.fresh_interpreter import REPOSITORY
from tests.waiting import LIMIT_SECONDS

CONSENT = ("--approve-as", "mira", "--reason", "forbidden rows")
Said = subprocess.CompletedProcess[str]


def distill(root: Path, *words: str) -> Said:
    """One command in ``root``. An engine's or the firewall's would replace this process, and is started."""
    if BY_NAME[words[0]].owner in ("engine", "firewall"):
        return started(root, *words)
    out, err = io.StringIO(), io.StringIO()
    with (
        Path(os.devnull).open(encoding="utf-8") as nothing,
        patch.object(sys, "stdin", nothing),
        contextlib.chdir(root),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        code = main(["-C", str(root), *words])
    return Said(words, code, out.getvalue(), err.getvalue())


def started(root: Path, *words: str) -> Said:
    """The same in a process of its own."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "console", "-C", str(root), *words],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_SECONDS,
    )


def planned(root: Path, *words: str) -> dict[str, Any]:
    """The preview of a change that waits for consent."""
    done = distill(root, *words, "--json")
    assert done.returncode == 11, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found
