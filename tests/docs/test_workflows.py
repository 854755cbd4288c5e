"""The workflows run what a person runs, pinned, with no right but to read and no secret."""

from __future__ import annotations

import importlib
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import CHECKOUT

FOLDER = CHECKOUT / ".github/workflows"
WORKFLOWS = sorted(FOLDER.glob("*.y*ml"))
TARGETS = set(re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_is_pinned_small_and_runs_what_is_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    said: dict[str, Any] = importlib.import_module("yaml").safe_load(text)
    assert said["permissions"] == {"contents": "read"}
    assert "secrets" not in text
    assert re.findall(r"uses: (.*)", text) == re.findall(
        r"uses: (\S+@[0-9a-f]{40} # v[0-9.]+)$", text, re.MULTILINE
    )
    (job,) = said["jobs"].values()
    assert job["timeout-minutes"]
    assert re.fullmatch(r"[a-z]+-[0-9.]+", job["runs-on"])
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert commands
    for command in commands:
        program, *arguments = command.split()
        assert set(arguments) <= TARGETS
        assert program == "make" or os.access(CHECKOUT / program, os.X_OK)


def test_one_checks_and_one_trains() -> None:
    commands = {path.name: re.findall(r"- run: (.*)", path.read_text(encoding="utf-8")) for path in WORKFLOWS}
    assert commands == {"ci.yml": [".ci/run"], "nightly.yml": ["make trainers"]}
    assert "exec make check" in (CHECKOUT / ".ci/run").read_text(encoding="utf-8")
    contributing = (CHECKOUT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert all(name in contributing for name in commands)
