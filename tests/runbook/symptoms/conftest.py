"""The workspace of most symptoms: run once, committed and tagged, nothing wrong yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.probes.workspace import Workspace
from tests.runbook.symptoms.walked import filled


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return filled(tmp_path / "w")


@pytest.fixture
def root(workspace: Workspace) -> Path:
    return workspace.root
