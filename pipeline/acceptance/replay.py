"""A21 and A22: a replay finds the playbook that fits, and what is no answer is refused."""

from __future__ import annotations

import os
from typing import Any

from pipeline.acceptance.engine_runs import environment
from pipeline.acceptance.invariant import Invariant, Results, Tally
from pipeline.acceptance.jobs import Job
from pipeline.acceptance.scene import Scene
from pipeline.acceptance.write_watch import watch
from pipeline.checks.runner import Outcome
from pipeline.contracts import paths
from pipeline.contracts.plurals import plural


def jobs(scene: Scene) -> list[Job]:
    return [Job("replay", lambda: _replay(scene), after=("base",))]


def _replay(scene: Scene) -> dict[str, Any]:
    # Replay is engine code, and this process is a fork that ends with the job. The operator's
    # choice of a model must not decide about the engine.
    os.environ.clear()
    os.environ.update(environment(scene.root))
    watch(str(scene.root.path), str(scene.root.writes_log))
    from pipeline.replay.replay import replay_task
    from pipeline.replay.validate import validate
    from pipeline.settings.load import load_settings

    wanted = scene.fixture.expected["replay"]
    workspace = scene.copy_of_base("replay")
    settings = load_settings(workspace).settings

    def replayed(task: str) -> dict[str, Any]:
        return replay_task(workspace, settings, task, local_only=True, log=False)

    found = replayed(wanted["task"])
    nothing_fits = replayed(wanted["unanswerable"])
    playbook = next(
        (row for row in scene.base.rows(paths.RAG_EXPORT) if row["task_id"] == wanted["playbook_task"]), None
    )
    texts = [] if playbook is None else [playbook["content"]]
    verdicts = [
        [case["answer"], case["reason"], [str(reason) for reason in validate(case["answer"], texts)]]
        for case in wanted["answers"]
    ]
    (workspace / paths.RAG_EXPORT).write_bytes(b"")
    no_playbooks = replayed(wanted["task"])
    return {
        "found": found,
        "nothing_fits": nothing_fits["validation_result"],
        "no_playbooks": no_playbooks["validation_result"],
        "verdicts": verdicts,
        "logged": (workspace / paths.REPLAY_RUNS).exists(),
    }


def _replay_retrieves(scene: Scene, results: Results) -> Outcome:
    tally = Tally()
    replay = results("replay")
    found, wanted = replay["found"], scene.fixture.expected["replay"]
    tasks = [scene.base.by_run.get(hit["source_run_id"], {}).get("task_id") for hit in found["retrieved"]]
    best = tasks[0] if tasks else "nothing"
    tally.look(best == wanted["playbook_task"], f"found {best} first instead of {wanted['playbook_task']}")
    verdict = found["validation_result"]
    tally.look(verdict["ok"], f"the answer was refused: {', '.join(verdict['reasons'])}")
    tally.look(bool(found["answer"]), "there is no answer")
    tally.look(
        not replay["logged"], "a replay that was not to be logged was logged", file=str(paths.REPLAY_RUNS)
    )
    return tally.outcome(f"{plural(len(tasks), 'playbook')} for 1 task")


def _replay_rejects(_scene: Scene, results: Results) -> Outcome:
    tally = Tally()
    replay = results("replay")
    for answer, reason, reasons in replay["verdicts"]:
        if reason is None:
            tally.look(not reasons, f"a sound answer was refused as {', '.join(reasons)}: {answer}")
        else:
            tally.look(
                reason in reasons, f"not refused as {reason} (but {', '.join(reasons) or 'taken'}): {answer}"
            )
    for name in ("nothing_fits", "no_playbooks"):
        verdict = replay[name]
        refused = not verdict["ok"] and "no_playbook_support" in verdict["reasons"]
        tally.look(refused, f"{name.replace('_', ' ')}: not refused as no_playbook_support")
    return tally.outcome(f"{plural(len(replay['verdicts']), 'answer')}, 2 empty retrievals")


INVARIANTS = {
    "A21": Invariant(("base", "replay"), _replay_retrieves),
    "A22": Invariant(("base", "replay"), _replay_rejects),
}
