"""A workspace that a run has written, with something for every format in it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.engine.workspaces import ONE_STREAM, encoded, make_workspace, run_all

SETTINGS = f"""\
[export]
validation_share = 0.3

{ONE_STREAM}
[[stream]]
name = "chats"
path = "data/_kb/chats.jsonl"
[stream.fields]
task_id = "task"
messages = "turns"
reward = "reward"
tools = "tools"
"""
TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]


def flat_line(task: str, said: str, reward: float, ask: str | None = None) -> dict[str, Any]:
    return {"task": task, "ask": ask or f"What is {task}?", "said": said, "reward": reward}


def chat_line(task: str, arguments: str, answer: str, reward: float) -> dict[str, Any]:
    call = {"id": "c1", "function": {"name": "look", "arguments": arguments}}
    return {
        "task": task,
        "reward": reward,
        "tools": TOOLS,
        "turns": [
            {"role": "user", "content": f"How is {task}?"},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": "up"},
            {"role": "assistant", "content": answer},
        ],
    }


def runs() -> list[dict[str, Any]]:
    """Eight tasks with two attempts, one alone of each kind, one in part, and one answer judged both ways."""
    pairs = [
        line
        for task in "abcdefgh"
        for line in (flat_line(task, f"right {task}", 1.0), flat_line(task, f"wrong {task}", 0.0))
    ]
    return [
        *pairs,
        flat_line("alone-good", "fine", 1.0),
        flat_line("alone-bad", "poor", 0.0),
        flat_line("partly", "half", 0.6),
        flat_line("both", "contradicted", 1.0),
        flat_line("both", "contradicted", 0.0),
    ]


def chats() -> list[dict[str, Any]]:
    return [
        line
        for number in range(6)
        for line in (
            chat_line(f"node {number}", f'{{"node":{number},"deep":null}}', "It is up.", 1.0),
            chat_line(f"node {number}", '{"all":true}', "Who knows.", 0.0),
        )
    ]


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sources = {"runs.jsonl": encoded(runs()), "chats.jsonl": encoded(chats())}
    workspace = make_workspace(tmp_path_factory.mktemp("formats") / "w", sources, SETTINGS)
    run_all(workspace, "--workers", "1")
    return workspace


@pytest.fixture
def workspace(ran: Path, tmp_path: Path) -> Path:
    shutil.copytree(ran, tmp_path / "w", symlinks=True)
    return tmp_path / "w"
