"""What is written stays below the workspace, whatever links were planted there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from console.control.jobs import start_job
from console.control.lease import LEASE, ControlLease
from console.tui.capture import FOLDER, save_screen
from pipeline.contracts import paths
from pipeline.contracts.faults import StorageError
from pipeline.release.handoff import HANDOFF
from tests.pipeline.engine.workspaces import engine, make_workspace, run_all

# The console


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


# Every command that writes a page, a report or a journal


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = make_workspace(tmp_path_factory.mktemp("ran") / "w")
    run_all(made)
    return made


@pytest.mark.parametrize(
    ("command", "link"),
    [
        (("card",), str(paths.DATASET_CARD)),
        (("handoff",), str(HANDOFF.parent)),
        (("export", "--format", "trl-conversational"), str(paths.FORMATTED)),
        (("replay", "--task", "question 3", "--local-only"), str(paths.REPLAY_RUNS)),
    ],
)
def test_a_planted_link_is_not_written_through(
    ran: Path, tmp_path: Path, command: tuple[str, ...], link: str
) -> None:
    workspace = shutil.copytree(ran, tmp_path / "w")
    outside = tmp_path / "outside"
    outside.mkdir()
    place = workspace / link
    place.parent.mkdir(parents=True, exist_ok=True)
    target = outside / "planted" if place.suffix else outside
    place.symlink_to(target)
    refused = engine(workspace, *command)
    assert refused.returncode == 3, refused.stdout
    assert "is a link" in refused.stderr
    assert list(outside.iterdir()) == []
