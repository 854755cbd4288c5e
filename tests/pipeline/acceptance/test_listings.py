"""A listing sees what was changed, whoever hides it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.acceptance.listings import RealWorkspace, changes, listing
from pipeline.contracts import paths
from pipeline.platform import lock


def test_every_kind_of_change_is_seen(tmp_path: Path) -> None:
    for name in ("same", "longer", "rewritten", "gone"):
        (tmp_path / name).write_text("12")
    before = listing(tmp_path)
    (tmp_path / "longer").write_text("123")
    times = (tmp_path / "rewritten").stat()
    (tmp_path / "rewritten").write_text("21")
    os.utime(tmp_path / "rewritten", ns=(times.st_atime_ns, times.st_mtime_ns))
    (tmp_path / "gone").unlink()
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("same")
    assert changes(before, listing(tmp_path)) == ["folder", "gone", "link", "longer", "rewritten"]


@pytest.mark.parametrize("alive", [".git/index", ".distill/lock", "reports/x.md", "data/_kb/runs.jsonl"])
def test_what_lives_in_a_workspace_is_not_watched(tmp_path: Path, alive: str) -> None:
    before = RealWorkspace.of(tmp_path).files
    (tmp_path / alive).parent.mkdir(parents=True)
    (tmp_path / alive).touch()
    folders = {str(parent) for parent in Path(alive).parents}
    assert set(changes(before, RealWorkspace.of(tmp_path).files)) <= folders


def test_an_operators_run_is_recognised(tmp_path: Path) -> None:
    assert not RealWorkspace.of(tmp_path).is_held
    (tmp_path / paths.STATE).mkdir()
    with lock.hold_workspace(tmp_path, command="run-all", pipeline_run_id="x", argv=()):
        assert RealWorkspace.of(tmp_path).is_held
