"""How many processes a command starts: upper bounds, counted by stand-ins that note their words and go on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.fresh_interpreter import REPOSITORY
from tests.console.workspaces import workspace_after_a_run

STAND_IN = """#!/bin/sh
printf '%s\\n' "{name} $*" >> '{log}'
exec '{program}' "$@"
"""
# What it starts is started by the stand-in, and so are the firewalls of whatever that starts.
COMMAND = """
import sys
sys.executable = sys.argv.pop(1)
from console.cli.distill import main
sys.exit(main(sys.argv[1:]))
"""
FIREWALL, PROBE = "-m pipeline.firewall", "engine_probe.py"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return workspace_after_a_run(tmp_path / "w")


def started_by(place: Path, *words: str) -> list[str]:
    """The words of each program, git or one of ours, that ``distill WORDS`` and its engines start."""
    log = place / "log"
    for name, program in (("python", sys.executable), ("git", str(shutil.which("git")))):
        stand_in = place / name
        stand_in.write_text(STAND_IN.format(name=name, log=log, program=program))
        stand_in.chmod(0o700)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DISTILL")}
    subprocess.run(
        [sys.executable, "-P", "-c", COMMAND, str(place / "python"), *words],
        env={**kept, "PATH": f"{place}{os.pathsep}{os.environ['PATH']}"},
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    return log.read_text().splitlines() if log.exists() else []


def of_ours(started: list[str]) -> list[str]:
    return [each for each in started if each.startswith("python ")]


def test_the_version_starts_nothing(tmp_path: Path) -> None:
    assert started_by(tmp_path, "--version") == []


def test_status_starts_one_firewall_and_asks_git_once_for_each_fact(root: Path, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(root)], check=True)
    started = started_by(tmp_path, "-C", str(root), "status")
    assert [FIREWALL in each for each in of_ours(started)] == [True]
    assert 1 <= len(started) - 1 <= 4


def test_one_engine_answers_all_detectors(root: Path, tmp_path: Path) -> None:
    ours = of_ours(started_by(tmp_path, "-C", str(root), "runbook", "detect"))
    assert sum(FIREWALL in each for each in ours) == 1
    assert sum(PROBE in each for each in ours) == 1
    assert len(ours) == 2
