"""Every command that writes a page, a report or a journal refuses to write through a link."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.contracts import paths
from pipeline.release.handoff import HANDOFF
from tests.pipeline.engine.workspaces import engine, make_workspace, run_all


@pytest.mark.parametrize(
    ("command", "link"),
    [
        (("card",), str(paths.DATASET_CARD)),
        (("handoff",), str(HANDOFF.parent)),
        (("export", "--format", "trl-conversational"), str(paths.FORMATTED)),
        (("replay", "--task", "question 3", "--local-only"), str(paths.REPLAY_RUNS)),
    ],
)
def test_a_planted_link_is_not_written_through(tmp_path: Path, command: tuple[str, ...], link: str) -> None:
    workspace = make_workspace(tmp_path / "w")
    run_all(workspace)
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
