"""A workspace that leaks, and a hand that carries plans out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.console.wizards import Worker, leaking, use


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return leaking(tmp_path / "w")


@pytest.fixture
def hand(monkeypatch: pytest.MonkeyPatch) -> Worker:
    return use(monkeypatch)
