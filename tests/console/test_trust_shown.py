"""``distill trust --show`` says of each thing that would run whether it is trusted, and runs none of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from console.cli import distill
from pipeline.contracts import paths
from pipeline.platform.engine_choice import stakes_of, trust


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    place = tmp_path / "w"
    (place / "pipeline").mkdir(parents=True)
    (place / "pipeline/__init__.py").write_text("raise SystemExit('nobody looks by running')\n")
    (place / paths.SETTINGS).write_text(
        '[engine]\nsource = "workspace"\n[release]\ntests = ["./planted", "-x"]\n'
    )
    return place


def shown(root: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    assert distill.main(["-C", str(root), *words, "trust", "--show"]) == 0
    return capsys.readouterr().out


def test_engine_and_programs_are_told_apart(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(root, capsys).splitlines()
    assert lines[-2:] == ["engine     not trusted", "programs   not trusted"]
    assert any("./planted -x" in line for line in lines)
    trust(stakes_of(root))
    assert shown(root, capsys).splitlines()[-2:] == ["engine     trusted", "programs   trusted"]
    (root / "pipeline/__init__.py").write_text("raise SystemExit('changed')\n")
    assert shown(root, capsys).splitlines()[-2] == "engine     not trusted"


def test_as_data_it_says_the_same(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trust(stakes_of(root))
    assert isinstance(json.loads(shown(root, capsys, "--json")), dict)
