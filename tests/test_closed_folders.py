"""What another account may not read is unknown, exit 3 and three lines: it is never told as none."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

import pytest

from console.commands.handover import counts
from console.reading.handover import read_handover
from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.status import LockStatus
from pipeline.reading.incidents import incident_heads, incident_ids
from tests.console.other_user import open_folder, unprivileged
from tests.console.workspaces import write
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


@pytest.mark.parametrize(
    ("closed", "titles"), [(paths.INCIDENTS, ("incidents",)), (paths.REPORTS, ("failures", "runs"))]
)
def test_a_hand_over_does_not_call_none_what_it_may_not_read(
    closed: PurePosixPath, titles: tuple[str, ...]
) -> None:
    with open_folder() as folder:
        root = make_workspace(folder / "w")
        (root / closed).mkdir(parents=True)
        distill(root, "handover")
        (root / closed).chmod(0)
        done = unprivileged(lambda: distill(root, "handover"))
        told = unprivileged(lambda: distill(root, "handover", "--json"))
    why = f"{closed} cannot be read: Permission denied"
    for title in titles:
        assert f"{title}: unknown: {why}" in done.stdout
        assert json.loads(told.stdout)["unknown"][title] == why


@pytest.mark.parametrize(
    ("place", "titles"),
    [
        (paths.INCIDENTS, {"incidents"}),
        (paths.AUDIT_BASELINES, {"decisions"}),
        (paths.REPLAY_RUNS, {"replays"}),
        (paths.AUDIT_DATA, {"verdicts"}),
    ],
    ids=str,
)
def test_each_list_of_a_hand_over_says_when_its_source_cannot_be_read(
    place: PurePosixPath, titles: set[str], tmp_path: Path
) -> None:
    root = make_workspace(tmp_path / "w")
    shift = read_handover(root, (), LockStatus(), 0.0, 1.0)
    assert shift.unknown == {}
    (root / place).parent.mkdir(parents=True, exist_ok=True)
    if place == paths.INCIDENTS:
        (root / place).write_bytes(b"")
    else:
        (root / place).mkdir()
    shift = read_handover(root, (), LockStatus(), 0.0, 1.0)
    assert set(shift.unknown) == titles
    assert all(counts(shift, title, 0).startswith("unknown: ") for title in titles)


def test_what_was_open_is_not_over_for_an_audit_that_may_not_list_it(tmp_path: Path) -> None:
    known = {"20260101-0000-x": {"seq": 3, "hash": "a" * 64}}
    write(tmp_path, str(paths.AUDIT_DATA), {"incident_heads": known})
    (tmp_path / paths.INCIDENTS).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / paths.INCIDENTS).write_bytes(b"")
    assert incident_heads(tmp_path) == known
    with pytest.raises(OSError, match="Not a directory"):
        incident_ids(tmp_path)


def test_a_workspace_without_incidents_says_that_there_was_nothing_to_verify(tmp_path: Path) -> None:
    done = distill(make_workspace(tmp_path / "w"), "incident", "verify")
    assert (done.returncode, done.stderr) == (ExitCode.OK, "0 incidents: there is nothing to verify\n")
