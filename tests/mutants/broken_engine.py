"""Makes a copy of the engine with one edit, and runs the acceptance gate of that copy."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pipeline
from pipeline.contracts.discovery import INSTALLED_PYTHON_VARIABLE, engine_argv
from tests.mutants.mutant import Mutant

PACKAGE = Path(str(pipeline.__file__)).parent


def engine_with(mutants: Sequence[Mutant], place: Path) -> Path:
    """A directory whose ``pipeline`` is the engine with the mutants' edits. Compiled files go along:
    their sources keep their times, and what is edited is compiled anew."""
    copy = place / "pipeline"
    shutil.copytree(PACKAGE, copy)
    for mutant in mutants:
        path = copy / mutant.file
        text = path.read_text(encoding="utf-8")
        assert text.count(mutant.old) == 1, f"{mutant.file} does not hold what {mutant.id} edits, once"
        path.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
    return place


def accept(engine: Path, workspace: Path, *options: str, installed: bool = False) -> dict[str, Any]:
    """The report of the gate that ``engine`` holds, in an empty workspace.

    With ``installed`` that engine stands for the installation too, from which the firewall runs.
    """
    workspace.mkdir(parents=True)
    (workspace / "distill.toml").touch()
    temporary = workspace.parent / "tmp"
    temporary.mkdir(exist_ok=True)
    env = {**os.environ, "PYTHONPATH": str(engine), "TMPDIR": str(temporary)}
    if installed:
        python = engine / "python"
        python.write_text(
            f'#!/bin/sh\nPYTHONPATH="{engine}" exec "{sys.executable}" "$@"\n', encoding="utf-8"
        )
        python.chmod(0o700)
        env[INSTALLED_PYTHON_VARIABLE] = str(python)
    finished = subprocess.run(
        engine_argv(["acceptance", "--json", "-C", str(workspace), *options]),
        capture_output=True,
        env=env,
        cwd=workspace,
        check=False,
    )
    assert finished.stdout, finished.stderr.decode()
    report: dict[str, Any] = json.loads(finished.stdout)
    assert finished.returncode == report["exit_code"]
    return report


def red(report: dict[str, Any]) -> dict[str, str]:
    """The invariants that did not pass, each with what it says."""
    return {check["id"]: check["detail"] for check in report["checks"] if check["status"] != "pass"}
