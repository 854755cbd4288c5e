"""For every test of the console: a workspace with a name and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The workspace ``night``. Tests that need more in theirs make their own."""
    folder = tmp_path / "night"
    folder.mkdir()
    (folder / "distill.toml").write_text('[workspace]\nname = "night"\n')
    return folder
