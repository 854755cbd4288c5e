"""What the check says of tasks, attempts, fields and files before a run is made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline.contracts import paths
from pipeline.settings.model import ScoringSettings
from pipeline.streams.sight import Sight
from tests.pipeline.engine.workspaces import encoded, engine, flat_line, make_workspace

ONE_STREAM = """\
[[stream]]
name = "runs"
path = "data/_kb/runs*.jsonl"
[stream.fields]
task_id = "task"
instruction = "ask"
response = "said"
reward = "reward"
goal = "goal"
"""
LINES = [flat_line(number) for number in range(20)]


def report(workspace: Path, *arguments: str, ends: int = 0) -> dict[str, Any]:
    done = engine(workspace, "streams", "check", "--json", *arguments)
    assert done.returncode == ends, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def row(task: str, ask: str) -> dict[str, Any]:
    return {
        "task_id": task,
        "instruction": ask,
        "messages": None,
        "response": "an answer",
        "run_id": f"s/{ask}",
        "stream": "s",
        "reward": None,
        "verdict": "pass",
        "human_override": None,
        "validation": {},
        "success_markers": [],
        "failure_markers": [],
        "flags": [],
        "provenance": {},
    }


def test_the_check_tells_what_the_rows_would_come_to(tmp_path: Path) -> None:
    lines = [dict(line) for line in LINES]
    del lines[3]["said"]
    workspace = make_workspace(tmp_path / "w", {"runs.jsonl": encoded(lines)}, ONE_STREAM)
    (found,) = report(workspace)["streams"]
    assert found["fill"] == {"instruction": 20, "response": 19, "reward": 20}
    assert (found["tasks"], found["attempts"]) == (4, {"5": 4})
    assert found["tasks_asked_differently"] == 0
    assert not found["task_id_is_constant"]
    assert sum(found["categories"].values()) == 20
    assert found["categories"]["accepted"] == 8
    told = engine(workspace, "streams", "check").stdout
    assert "4; by number of attempts: 4 with 5" in told
    assert "response 95 %" in told


def test_a_task_id_that_is_none_is_named() -> None:
    constant, shared = Sight(), Sight()
    for number in range(12):
        constant.add(row("data-set", f"question {number}"), ScoringSettings())
        shared.add(row(f"t{number // 4}", f"question {number // 6}"), ScoringSettings())
    assert (constant.has_one_task_only, constant.asked_differently) == (True, 1)
    assert (shared.has_one_task_only, shared.asked_differently) == (False, 1)
    repeated = Sight()
    for _number in range(12):
        repeated.add(row("one", "the same question"), ScoringSettings())
    assert (repeated.has_one_task_only, repeated.attempts) == (False, {12: 1})


def test_a_field_that_is_never_found_fails_where_it_is_asked_to(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w", {"runs.jsonl": encoded(LINES)}, ONE_STREAM)
    assert report(workspace)["streams"][0]["fields_never_found"] == ["goal"]
    report(workspace, "--fail-on", "never-found", ends=1)
    settings = workspace / paths.SETTINGS
    settings.write_text(settings.read_text("utf-8").replace('goal = "goal"\n', ""), "utf-8")
    report(workspace, "--fail-on", "never-found")


def test_files_that_no_stream_reads_are_named(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w", {"runs.jsonl": encoded(LINES)}, ONE_STREAM)
    base = workspace / paths.KNOWLEDGE_BASE
    (base / "deep").mkdir()
    for name in ("chats.jsonl", "deep/old.jsonl.gz.1", "notes.txt", ".hidden.jsonl", "replay_runs.jsonl"):
        (base / name).write_bytes(b"{}\n")
    assert report(workspace)["unread_files"] == ["data/_kb/chats.jsonl", "data/_kb/deep/old.jsonl.gz.1"]
    assert report(workspace, "--stream", "runs")["unread_files"] == []
    assert "data/_kb/chats.jsonl" in engine(workspace, "streams", "check").stdout
