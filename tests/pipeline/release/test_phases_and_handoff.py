"""Phases are recorded in the file's own words; the hand-off page is true or said to be old."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from pipeline.contracts.faults import SettingsError
from pipeline.release import handoff
from pipeline.release.phases import record_phase
from pipeline.settings.load import load_settings
from tests.pipeline.engine.workspaces import engine
from tests.pipeline.release.repositories import commit_all, git, repository


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return repository(tmp_path / "w")


def test_a_phase_is_recorded_by_its_full_id_and_nothing_else_changes(workspace: Path) -> None:
    path = workspace / "distill.toml"
    path.write_text(
        "# kept comment\n" + path.read_text() + "\n[drift]\nwarn_pct = 25.0 # and this\n", encoding="utf-8"
    )
    before = tomllib.loads(path.read_text())
    head = git(workspace, "rev-parse", "HEAD")
    assert record_phase(workspace, "P4", "HEAD") == head
    assert record_phase(workspace, "P5", "main") == head
    after = path.read_text()
    assert tomllib.loads(after) == {**before, "phases": {"P4": head, "P5": head}}
    assert "# kept comment" in after
    assert "# and this" in after
    assert load_settings(workspace).settings.phases == {"P4": head, "P5": head}


@pytest.mark.parametrize(
    ("phase", "revision"), [("P9", "HEAD"), ("x", "HEAD"), ("P1", "nowhere"), ("P1", "--all")]
)
def test_what_cannot_be_recorded_leaves_the_file_alone(workspace: Path, phase: str, revision: str) -> None:
    before = (workspace / "distill.toml").read_bytes()
    with pytest.raises(SettingsError):
        record_phase(workspace, phase, revision)
    assert (workspace / "distill.toml").read_bytes() == before


def test_the_command_shows_and_records(workspace: Path) -> None:
    finished = engine(workspace, "release", "phases", "--set", "P0=HEAD~3")
    assert finished.returncode == 0, finished.stderr
    assert git(workspace, "rev-parse", "HEAD~3") in finished.stdout
    assert "P1  not recorded" in finished.stdout
    assert engine(workspace, "release", "phases", "--set", "P0").returncode == 2


def test_the_page_says_when_it_is_missing_old_or_true(workspace: Path) -> None:
    settings = load_settings(workspace).settings
    assert handoff.what_is_wrong(workspace, settings) == "is missing"
    assert engine(workspace, "handoff").returncode == 0
    assert handoff.what_is_wrong(workspace, settings) is None
    record_phase(workspace, "P3", "HEAD")
    assert (
        handoff.what_is_wrong(workspace, load_settings(workspace).settings)
        == "is older than what it describes"
    )


def test_hostile_commit_subjects_are_text_on_the_page(workspace: Path) -> None:
    commit_all(workspace, "evil \x1b]52;c;aGk=\x07 | [x](javascript:1) <b> `code`")
    git(workspace, "tag", "-f", "distillation-v1.0.0")
    page = handoff.page(workspace, load_settings(workspace).settings)
    assert "\x1b" not in page
    assert "\\[x\\]" in page
    assert "\\<b\\>" in page
