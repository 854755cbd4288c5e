"""A20: killed at every commit point, a run leaves all of the old exports or all of the new ones.

Each point is tried in a copy of the base run's workspace to which a source was added. The run is
killed there as by ``kill -9``. A second one is killed as it starts, when it has settled what the
first left open and done nothing else: now the outputs must be of one run. A third goes to the end.
"""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

from pipeline.acceptance.engine_runs import forked, take_firewall_away
from pipeline.acceptance.fixture import LATER
from pipeline.acceptance.invariant import Invariant, Results, Tally
from pipeline.acceptance.jobs import Job
from pipeline.acceptance.scene import Scene, digests, state_of
from pipeline.acceptance.written import Written
from pipeline.checks.runner import Outcome
from pipeline.contracts import paths
from pipeline.platform.process_end import Ended

CRASH_VARIABLE = "DISTILL_CRASH_AT"
# Copied from the engine, which must not be able to shorten the list by itself;
# tests/pipeline/acceptance/test_jobs.py keeps the copies equal. Renames are passed many times.
POINTS = (
    "run-started",
    "chunk-rows-written",
    "chunk-index-written",
    "all-chunks-mapped",
    "outputs-staged",
    "firewall-scanned",
    "receipts-staged",
    "intent-written",
    "originals-linked",
    "output-renamed",
    "output-renamed:4",
    "output-renamed:8",
    "outputs-renamed",
    "state-written",
    "intent-removed",
)
_SETTLED = "run-started"
_OLD, _NEW, _MIXED = "old", "new", "mixed"
_JOBS = 4  # the points are dealt to so many jobs, which run side by side


def jobs(scene: Scene) -> list[Job]:
    def some(number: int) -> Job:
        points = POINTS[number::_JOBS]
        return Job(
            f"crash_{number}",
            lambda: [_crash_and_resume(scene, point) for point in points],
            after=("straight",),
        )

    straight = Job("straight", lambda: _run_straight(scene), after=("base",))
    return [straight, *(some(number) for number in range(_JOBS))]


def _workspace(scene: Scene, name: str) -> Path:
    workspace = scene.copy_of_base(name)
    (workspace / paths.KNOWLEDGE_BASE / LATER).write_bytes(scene.fixture.source(LATER))
    return workspace


def _run_straight(scene: Scene) -> dict[str, Any]:
    workspace = _workspace(scene, "straight")
    scene.fork_run("straight", workspace)
    return state_of(Written(workspace))


def _crash_and_resume(scene: Scene, point: str) -> dict[str, Any]:
    name = f"crash-{point.replace(':', '-')}"
    workspace = _workspace(scene, name)
    old, new = (digests(written.outputs()) for written in (scene.base, scene.variant("straight")))
    argv = scene.run_all(workspace, "--workers", "1")

    def run(number: int, crash_at: str | None = None) -> Ended:
        # The scan is a process of its own that changes nothing; the straight run has it.
        env = {} if crash_at is None else {CRASH_VARIABLE: crash_at}
        return forked(scene.root, f"{name}-{number}", argv, env=env, change=take_firewall_away)

    killed = run(1, point)
    after_kill = _of_which_run(workspace, old, new)
    is_open = (workspace / paths.INTENT).exists()
    settled = run(2, _SETTLED)
    after_settling = _of_which_run(workspace, old, new)
    stays_open = (workspace / paths.INTENT).exists()
    ended = run(3)
    resumed = state_of(Written(workspace)) if ended.exit_code == 0 else {"run_hash": None, "outputs": {}}
    staging = workspace / paths.STAGING
    return {
        "point": point,
        "was_killed": killed.exit_code == settled.exit_code == -signal.SIGKILL,
        "said": killed.reason,
        "after_kill": after_kill,
        "is_open": is_open,
        "after_settling": after_settling,
        "stays_open": stays_open,
        "resumed": {"exit_code": ended.exit_code, "said": ended.reason, **resumed},
        "left_staged": sorted(path.name for path in staging.rglob("*")) if staging.is_dir() else [],
    }


def _of_which_run(workspace: Path, old: dict[str, str], new: dict[str, str]) -> str:
    """Whose outputs stand: the old run's, the new one's, some of each, or neither's."""
    found = digests(Written(workspace).outputs())
    if found == old:
        return _OLD
    if found == new:
        return _NEW
    whole = all(digest in (old.get(path), new.get(path)) for path, digest in found.items())
    return _MIXED if whole else "damaged"


def _crash_safe(_scene: Scene, results: Results) -> Outcome:
    tally = Tally()
    straight = results("straight")
    for case in (case for number in range(_JOBS) for case in results(f"crash_{number}")):
        point, resumed = case["point"], case["resumed"]
        tally.look(case["was_killed"], f"{point}: the run did not die there: {case['said']}")
        # While a commit is open, watchers hold their verdict; a mixture is allowed, damage is not.
        allowed = (_OLD, _NEW, _MIXED) if case["is_open"] else (_OLD, _NEW)
        tally.look(
            case["after_kill"] in allowed, f"{point}: after the kill the outputs are {case['after_kill']}"
        )
        after_settling = case["after_settling"]
        settled = after_settling in (_OLD, _NEW)
        tally.look(settled, f"{point}: the next command left the outputs {after_settling}")
        tally.look(not case["stays_open"], f"{point}: the next command left the commit open")
        tally.look(
            resumed["exit_code"] == 0,
            f"{point}: the resumed run ended with {resumed['exit_code']}: {resumed['said']}",
        )
        tally.look(resumed["run_hash"] == straight["run_hash"], f"{point}: resumed to another run_hash")
        tally.look(resumed["outputs"] == straight["outputs"], f"{point}: resumed to other bytes")
        tally.look(not case["left_staged"], f"{point}: left staged: {', '.join(case['left_staged'][:3])}")
    return tally.outcome(
        f"{len(POINTS)} kills, each settled and resumed", threshold="the run_hash of an uninterrupted run"
    )


INVARIANTS = {
    "A20": Invariant(("base", "straight", *(f"crash_{number}" for number in range(_JOBS))), _crash_safe),
}
