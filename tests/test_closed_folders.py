"""What another account may not read is unknown, exit 3 and three lines: it is never told as none."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode
from tests.console.other_user import open_folder, unprivileged
from tests.pipeline.engine.workspaces import make_workspace
from tests.runbook.command_line import distill


@pytest.mark.parametrize(
    ("closed", "words"),
    [
        (paths.INCIDENTS, ("incident", "list")),
        (paths.INCIDENTS, ("incident", "verify")),
        (paths.INCIDENTS, ("incident", "prune")),
        (paths.REPORTS, ("runs",)),
        (paths.SETTINGS, ("watch", "--once")),
    ],
)
def test_what_may_not_be_read_is_not_called_none(closed: PurePosixPath, words: tuple[str, ...]) -> None:
    with open_folder() as folder:
        root = make_workspace(folder / "w")
        if closed is not paths.SETTINGS:
            (root / closed).mkdir(parents=True)
        # Another account may not even read our modules: all that is needed is imported before.
        assert distill(root, *words).returncode != ExitCode.NOT_EVALUABLE
        (root / closed).chmod(0)
        done = unprivileged(lambda: distill(root, *words))
    assert done.returncode == ExitCode.NOT_EVALUABLE, done.stdout + done.stderr
    for line in ("what happened", "kept safe", "do next"):
        assert line in done.stderr
    assert str(closed) in done.stderr


def test_a_workspace_without_incidents_says_that_there_was_nothing_to_verify(tmp_path: Path) -> None:
    done = distill(make_workspace(tmp_path / "w"), "incident", "verify")
    assert (done.returncode, done.stderr) == (ExitCode.OK, "0 incidents: there is nothing to verify\n")
