"""The workspace's own test of its golden lines, as ``distill init`` lays it down."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.workspace import init_workspace
from tests.architecture.fresh_interpreter import REPOSITORY
from tests.pipeline.engine.workspaces import SETTINGS

LINE = {"task": "t1", "ask": "how?", "said": "so", "model": "m", "points": 1.0}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    root = init_workspace(tmp_path / "w").root
    (root / "tests/golden").mkdir()
    golden = {"gives": ["reward"], "line": LINE}
    (root / "tests/golden/runs.jsonl").write_text(json.dumps(golden) + "\n")
    return root


def contract(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "unittest", "discover", "-s", "tests", "-k", "golden"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_golden_line_that_the_settings_read_passes(workspace: Path) -> None:
    (workspace / "distill.toml").write_text(SETTINGS.replace('reward = "reward"', 'reward = "points"', 1))
    done = contract(workspace)
    assert done.returncode == 0, done.stderr


def test_settings_that_lose_a_field_of_a_golden_line_fail(workspace: Path) -> None:
    (workspace / "distill.toml").write_text(SETTINGS)
    done = contract(workspace)
    assert done.returncode == 1
    assert "'reward'" in done.stderr


def test_a_golden_line_of_a_stream_that_is_gone_fails(workspace: Path) -> None:
    (workspace / "distill.toml").write_text(SETTINGS.replace('"runs"', '"attempts"', 1))
    assert contract(workspace).returncode == 1


def test_without_a_golden_line_nothing_is_called_passed(tmp_path: Path) -> None:
    done = contract(init_workspace(tmp_path / "w").root)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "OK (skipped=1)"
