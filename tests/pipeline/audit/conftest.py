"""What is audited has a recon doc as well."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipeline.audit.audited import build


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("ran") / "w")
