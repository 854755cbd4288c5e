"""What the console writes stays below the workspace, whatever links were planted there."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.control.jobs import start_job
from console.control.lease import LEASE, ControlLease
from console.tui.capture import FOLDER, save_screen
from pipeline.contracts import paths
from pipeline.contracts.faults import StorageError


@pytest.mark.parametrize("link", [str(FOLDER), str(FOLDER.parent), str(LEASE.parent), str(paths.JOBS)])
def test_nothing_is_written_through_a_planted_link(tmp_path: Path, link: str) -> None:
    root, outside = tmp_path / "w", tmp_path / "outside"
    outside.mkdir()
    (root / link).parent.mkdir(parents=True)
    (root / link).symlink_to(outside)
    (root / "distill.toml").write_text("", encoding="utf-8")
    if link in (str(FOLDER), str(FOLDER.parent)):
        with pytest.raises(StorageError):
            save_screen(root, "text", "txt", 0.0)
    if link == str(LEASE.parent):
        with pytest.raises(StorageError):
            ControlLease(root, "mara").acquire()
    if link in (str(LEASE.parent), str(paths.JOBS)):
        with pytest.raises(StorageError):
            start_job(root, ["run-all"])
    assert list(outside.iterdir()) == []
