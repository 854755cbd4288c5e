"""One sound workspace for every test of the drills."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.runbook.drills.sound import sound_template


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all workers: beside their folders, where there are several."""
    base = tmp_path_factory.getbasetemp()
    return sound_template(base.parent if "PYTEST_XDIST_WORKER" in os.environ else base)
