"""SIGKILL at random times, again and again: whole outputs each time, one hash in the end.

Ten series of kills, each on one workspace. A run that was quick enough to commit before its kill
came gets other sources, so that the next one has work to do. The seed is fixed; the moments are
those of this machine.
"""

from __future__ import annotations

import random
import shutil
import signal
import time
from pathlib import Path

import pytest

from pipeline.contracts import paths
from pipeline.platform import lock
from tests.crash import killable_run
from tests.crash.outcomes import RUN_ALL, Straight, assert_whole, assert_whole_after_settling, finish
from tests.pipeline.engine.workspaces import output_bytes
from tests.waiting import wait_until

SEED = 20260427
SERIES = 10
KILLS_A_SERIES = 21


def test_there_are_two_hundred_kills() -> None:
    assert SERIES * KILLS_A_SERIES >= 200


@pytest.mark.slow
@pytest.mark.parametrize("series", range(SERIES))
def test_runs_killed_at_random_times_end_at_the_straight_hash(
    quick: Path, straight: dict[str, Straight], series: int
) -> None:
    moments = random.Random(SEED + series)  # noqa: S311 - a seed that can be repeated is the point
    workspace = straight["fresh"].copy_start(quick / "w")
    target, other = straight["fresh"], straight["last-good"]
    longest_seconds = min(target.elapsed_seconds, other.elapsed_seconds)
    last_good: dict[str, bytes] = {}
    kills = 0
    while kills < KILLS_A_SERIES:
        workers = moments.choice(["1", "2"])
        run = killable_run.start(workspace, [*RUN_ALL, "--workers", workers])
        started = time.monotonic()
        if run.ended_within(moments.uniform(0.0, longest_seconds)):
            longest_seconds = time.monotonic() - started  # the machine is quicker now
        else:
            # The group at once, or the parent alone: its workers must follow it.
            moments.choice([run.kill_group, run.kill_parent])()
            longest_seconds *= 1.02  # it may be slower as well
        code = run.wait()
        assert code in (0, -signal.SIGKILL), run.output.read_text()
        kills += code != 0
        wait_until(run.is_gone, "no process of the run left")
        assert_whole_after_settling(workspace, quick / "settled", last_good, target.outputs)
        if code == 0 or output_bytes(workspace) == target.outputs:
            last_good = target.outputs
            target, other = other, target
            _take_sources(target.start, workspace)
    assert finish(workspace) == target.run_hash
    assert_whole(workspace, target.outputs)
    assert not lock.is_held(workspace)
    assert list((workspace / paths.STAGING).glob("*")) == []


def _take_sources(start: Path, workspace: Path) -> None:
    for path in (start / paths.KNOWLEDGE_BASE).iterdir():
        if path.name.startswith(("runs", "chats")):
            shutil.copy2(path, workspace / paths.KNOWLEDGE_BASE / path.name)
