"""What most walls are shown: a workspace with every export, as the exporters write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipeline.firewall.falsified import written_exports


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return written_exports(tmp_path)
