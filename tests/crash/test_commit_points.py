"""SIGKILL at every commit point, then resumed: the straight run's hash and bytes."""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from pipeline.contracts import paths
from pipeline.engine import commit_points
from tests.crash import killable_run
from tests.crash.outcomes import (
    RUN_ALL,
    Straight,
    assert_whole,
    assert_whole_after_settling,
    finish,
)
from tests.pipeline.engine.workspaces import RECORDED_AT, newest_summary, output_bytes
from tests.quick_folder import quick_folder
from tests.waiting import wait_until

ARCHITECTURE = Path(__file__).parents[2] / "docs" / "architecture.md"

# Point (with its passing), and whether an intent is open after a kill there.
CASES = {
    "run-started": False,
    "chunk-rows-written": False,
    "chunk-rows-written:2": False,
    "chunk-index-written": False,
    "chunk-index-written:3": False,
    "all-chunks-mapped": False,
    "outputs-staged": False,
    "firewall-scanned": False,
    "receipts-staged": False,
    "intent-written": True,
    "originals-linked": True,
    "output-renamed": True,
    "output-renamed:2": True,
    "output-renamed:7": True,
    "output-renamed:11": True,
    "output-renamed:15": True,
    "outputs-renamed": True,
    "state-written": True,
    "intent-removed": False,
}
# With two workers these are passed in a worker: tests/pipeline/engine/test_executors.py
IN_WORKERS = ("chunk-rows-written", "chunk-index-written")
RUNS = [
    *((point, "fresh", "1") for point in CASES),
    *((point, "last-good", "1" if point.startswith(IN_WORKERS) else "2") for point in CASES),
]
STAGES = ("materialize", "score", "export")
# What a stage alone passes: it has one worker, and P2 and P3 need no scan.
OF_SINGLE_STAGES = (
    "run-started",
    "outputs-staged",
    "receipts-staged",
    "intent-written",
    "originals-linked",
    "output-renamed:2",
    "outputs-renamed",
    "state-written",
    "intent-removed",
)
# The sources have changed: by the new verdicts a row of the standing export is forbidden.
_ENDS_WITH = {"score": 10}


def test_every_commit_point_has_a_case_and_a_row_in_the_crash_table() -> None:
    assert {case.partition(":")[0] for case in CASES} == set(commit_points.NAMES)
    table = ARCHITECTURE.read_text(encoding="utf-8").partition("## Crash table")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE) == list(commit_points.NAMES)


@pytest.mark.parametrize(("point", "start", "workers"), RUNS)
def test_a_run_killed_at_a_commit_point_is_resumed_to_the_straight_run(
    quick: Path, straight: dict[str, Straight], point: str, start: str, workers: str
) -> None:
    expected = straight[start]
    workspace = expected.copy_start(quick / "w")
    options = [*RUN_ALL, "--workers", workers]
    killed = killable_run.start(workspace, options, {commit_points.VARIABLE: point})
    assert killed.wait() == -signal.SIGKILL, killed.output.read_text()
    wait_until(killed.is_gone, "no process of the run left")
    was_open = assert_whole_after_settling(workspace, quick / "settled", expected.last_good, expected.outputs)
    assert was_open == CASES[point]
    assert finish(workspace, "--workers", workers) == expected.run_hash
    assert_whole(workspace, expected.outputs)
    assert not (workspace / paths.INTENT).exists()


def test_a_killed_commit_is_settled_by_any_command_that_changes_outputs(
    quick: Path, straight: dict[str, Straight]
) -> None:
    expected = straight["last-good"]
    for command in ("materialize", "score", "export", "export-rag", "export-sft", "export-preference"):
        workspace = expected.copy_start(quick / command)
        killed = killable_run.start(workspace, RUN_ALL, {commit_points.VARIABLE: "output-renamed:4"})
        assert killed.wait() == -signal.SIGKILL
        assert (workspace / paths.INTENT).exists()
        code, output = killable_run.run(workspace, [command, "--recorded-at", RECORDED_AT])
        assert code == 0, output
        assert not (workspace / paths.INTENT).exists()
        assert newest_summary(workspace)["run_hash"] == expected.run_hash
        wanted = expected.outputs
        assert {path: data for path, data in output_bytes(workspace).items() if path in wanted} == wanted


@pytest.fixture(scope="module")
def before_stage(straight: dict[str, Straight]) -> Iterator[dict[str, Path]]:
    """By stage, a workspace in which those before it have run."""
    with quick_folder() as root:
        found = {STAGES[0]: straight["last-good"].start}
        for stage, then in pairwise(STAGES):
            found[then] = Path(shutil.copytree(found[stage], root / then))
            _run_stage(found[then], stage)
        yield found


def _run_stage(workspace: Path, stage: str) -> None:
    code, output = killable_run.run(workspace, [stage, "--recorded-at", RECORDED_AT])
    assert code == _ENDS_WITH.get(stage, 0), output


@pytest.mark.parametrize("point", OF_SINGLE_STAGES)
@pytest.mark.parametrize("command", STAGES)
def test_a_stage_killed_at_a_commit_point_is_resumed_to_the_straight_run(
    quick: Path, straight: dict[str, Straight], before_stage: dict[str, Path], command: str, point: str
) -> None:
    expected = straight["last-good"]
    workspace = Path(shutil.copytree(before_stage[command], quick / "w"))
    before = output_bytes(workspace)
    killed = killable_run.start(
        workspace, [command, "--recorded-at", RECORDED_AT], {commit_points.VARIABLE: point}
    )
    assert killed.wait() == -signal.SIGKILL, killed.output.read_text()
    after = {**before, **_written_by(command, expected.outputs)}
    was_open = assert_whole_after_settling(workspace, quick / "settled", before, after)
    assert was_open == CASES[point]
    for stage in STAGES[STAGES.index(command) :]:
        _run_stage(workspace, stage)
    assert newest_summary(workspace)["run_hash"] == expected.run_hash
    assert output_bytes(workspace).items() >= expected.outputs.items()


def _written_by(command: str, outputs: dict[str, bytes]) -> dict[str, bytes]:
    folders = {
        "materialize": (str(paths.EVIDENCE), str(paths.DISTILLATION_SKIPS)),
        "score": (str(paths.SCORED_RUNS),),
        "export": (str(paths.EXPORTS),),
    }[command]
    return {path: data for path, data in outputs.items() if path.startswith(folders)}
