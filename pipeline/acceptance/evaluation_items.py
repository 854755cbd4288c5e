"""Items of a test set among the runs: which the exporter keeps out of SFT, which the firewall finds in it.

A small workspace of its own; the pinned fixture declares no test set. Each kind of run stands on one
side of a boundary: half of an item or a word less, a phrase of ten tasks or of eleven.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.acceptance.invariant import Tally
from pipeline.acceptance.jobs import Job
from pipeline.acceptance.scene import Scene
from pipeline.contracts import paths
from pipeline.contracts.plurals import with_verb

Scan = Callable[[Scene, Path, str], dict[str, Any]]
"""Asks the installed firewall about a workspace; the name is what its report is kept as."""

JOB = "test_items"
REASON, WALL = "evaluation_overlap", "evaluation"
_SET = "harbour.jsonl"
_STREAM = """\
[workspace]
name = "test-items"

[[stream]]
name = "runs"
path = "data/_kb/runs.jsonl"
[stream.fields]
task_id = "task"
instruction = "ask"
response = "said"
reward = "reward"
"""
_DECLARED = f"""
[[evaluation]]
name = "harbour"
path = "{_SET}"
prompt = "q"
answer = "a"
"""
_SHORT = "Which harbour lies north of Aleppo?"


def _words(kind: str, count: int) -> str:
    return " ".join(f"{kind}{number}" for number in range(count))


_ITEMS = (
    {"q": _words("half", 16)},
    {"q": _words("less", 17)},
    {"q": _SHORT},
    {"q": "How is a mast set?", "a": _words("answer", 16)},
    {"q": _words("ten", 16)},
    {"q": _words("eleven", 16)},
)


def _runs() -> Iterator[tuple[str, str, str, bool]]:
    """Task, what was asked, what was answered, and whether it may be trained on."""

    def run(task: str, ask: str = "", said: str = "", *, allowed: bool) -> tuple[str, str, str, bool]:
        return task, ask or f"What of {task}?", f"{task}: {said or 'nothing of it'}", allowed

    yield run("half of an item", f"Say: {_words('half', 8)}", allowed=False)
    yield run("a word less than half", f"Say: {_words('less', 8)}", allowed=True)
    yield run("a short item whole", _SHORT.upper().replace("?", " ?!"), allowed=False)
    yield run("a short item and more", f"{_SHORT} And south?", allowed=True)
    yield run("an answer", said=_words("answer", 16), allowed=False)
    yield run("an answer that is asked", f"Say: {_words('answer', 16)}", allowed=True)
    for number in range(10):
        yield run(f"a phrase of ten {number}", f"{_words('ten', 8)} {number}", allowed=False)
    for number in range(11):
        yield run(f"a phrase of eleven {number}", f"{_words('eleven', 8)} {number}", allowed=True)


def jobs(scene: Scene, scan: Scan) -> list[Job]:
    return [Job(JOB, lambda: _carried_out(scene, scan))]


def _carried_out(scene: Scene, scan: Scan) -> dict[str, Any]:
    workspace = _workspace(scene, "test-items", declared=True)
    scene.fork_run("test-items", workspace)
    let_through = scan(scene, workspace, "test-items-let-through")
    # The same runs exported before anybody declared the set.
    before = _workspace(scene, "test-items-before", declared=False)
    scene.fork_run("test-items-before", before)
    (before / paths.SETTINGS).write_text(_STREAM + _DECLARED, encoding="utf-8")
    put_back = scan(scene, before, "test-items-put-back")
    (before / _SET).unlink()
    return {
        "let_through": let_through,
        "put_back": put_back,
        "without_the_set": scan(scene, before, "test-items-without-the-set"),
    }


def _workspace(scene: Scene, name: str, *, declared: bool) -> Path:
    workspace = scene.root.variant(name)
    (workspace / paths.KNOWLEDGE_BASE).mkdir(mode=0o700, parents=True)
    lines = [{"task": task, "ask": ask, "said": said, "reward": 1.0} for task, ask, said, _ in _runs()]
    _write(workspace / paths.KNOWLEDGE_BASE / "runs.jsonl", lines)
    _write(workspace / _SET, _ITEMS)
    settings = _STREAM + (_DECLARED if declared else "")
    (workspace / paths.SETTINGS).write_text(settings, encoding="utf-8")
    return workspace


def _write(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def judge_exporter(scene: Scene, tally: Tally) -> int:
    """No run that holds an item of the set is in SFT, and no other is refused for it. How many there are."""
    written = scene.variant("test-items")
    exported = {row["task_id"] for row in written.rows(paths.SFT_EXPORT)}
    refused = {row["task_id"] for row in written.rows(paths.SFT_QUARANTINE) if row["reason"] == REASON}
    for task, _, _, allowed in _runs():
        tally.look(
            (task in exported, task in refused) == (allowed, not allowed),
            f"a run with {task} of a test set is {'refused' if allowed else 'let through'}",
        )
    return sum(not allowed for _, _, _, allowed in _runs())


def judge_firewall(scene: Scene, said: dict[str, Any], tally: Tally) -> int:
    """It finds in a standing file what the exporter refuses, and nothing else. How many there are."""
    let_through, put_back = said["let_through"], said["put_back"]
    tally.look(
        (let_through["state"], let_through["evaluation"]) == ("CLEAR", "checked"),
        f"what the exporter lets through is {let_through['state']}, evaluation sets "
        f"{let_through['evaluation']}: {let_through['found'][:1]}",
    )
    found = {line for line, wall, _ in put_back["found"] if wall == WALL}
    rows = scene.variant("test-items-before").rows(paths.SFT_EXPORT)
    allowed = {task: may for task, _, _, may in _runs()}
    back = with_verb(len(rows), "row", "was/were", f"put back instead of {len(allowed)}")
    tally.look(len(rows) == len(allowed), back)
    for row in rows:
        may = allowed[row["task_id"]]
        tally.look(
            (row["_line"] in found) is not may,
            f"a row with {row['task_id']} of a test set is {'called forbidden' if may else 'not seen'}",
            file=str(paths.SFT_EXPORT),
            line=row["_line"],
        )
    state = said["without_the_set"]["state"]
    tally.look(state == "UNKNOWN", f"without the set's file it is {state} instead of UNKNOWN")
    return len(found)
