"""A workspace in which a run has ended well, made once for all tests that need one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.pipeline.engine.workspaces import make_workspace, run_all


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """To be read: other tests read it, too."""
    workspace = make_workspace(tmp_path_factory.mktemp("ran") / "w")
    run_all(workspace)
    return workspace


@pytest.fixture
def workspace(ran: Path, tmp_path: Path) -> Path:
    """A copy, to do with as a test likes: caches know a workspace by its contents."""
    return Path(shutil.copytree(ran, tmp_path / "w"))
