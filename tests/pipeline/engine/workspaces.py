"""Small workspaces with a bit of everything that the engine has to settle across chunks."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.contracts import paths
from pipeline.contracts.discovery import engine_argv
from pipeline.engine.last_run import committed_summaries
from tests.waiting import LIMIT_SECONDS

RECORDED_AT = "2026-01-01T00:00:00Z"
# One stream of flat lines and nothing else said.
ONE_STREAM = """\
[[stream]]
name = "runs"
path = "data/_kb/runs.jsonl"
[stream.fields]
task_id = "task"
instruction = "ask"
response = "said"
reward = "reward"
"""
SETTINGS = """\
[[stream]]
name = "runs"
path = "data/_kb/runs*.jsonl"
[stream.fields]
task_id = "task"
instruction = "ask"
response = "said"
model_name = "model"
reward = "reward"

[[stream]]
name = "chats"
path = "data/_kb/chats*.jsonl"
[stream.fields]
task_id = "task"
messages = "turns"
reward = "reward"
"""

REWARDS = (1.0, 0.0, 0.6, 1.0, 0.2)


def flat_line(number: int) -> dict[str, Any]:
    """Five attempts a task, with every verdict among them."""
    return {
        "task": f"t{number // 5}",
        "ask": f"question {number // 5}: how do I stop service {number // 5}?",
        "said": f"answer {number}: stop it with care, then look at its log.",
        "model": f"model-{number % 3}",
        "reward": REWARDS[number % 5],
    }


def chat_line(number: int) -> dict[str, Any]:
    """Two attempts a task that share a prompt and part at the first answer."""
    return {
        "task": number // 2,
        "reward": 1.0 if number % 2 == 0 else 0.0,
        "turns": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": f"What is the state of node {number // 2}?"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": f"c{number}", "function": {"name": "look", "arguments": f'{{"node": {number}}}'}}
                ],
            },
            {"role": "tool", "tool_call_id": f"c{number}", "name": "look", "content": "up"},
            {"role": "assistant", "content": f"Node {number // 2} is up, seen {number} times."},
            {"role": "user", "content": "thanks ###STOP###"},
        ],
    }


def encoded(rows: Sequence[Mapping[str, Any]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def source_bytes() -> dict[str, bytes]:
    """Two files of flat runs with a duplicate, bad lines and a conflicting text; one of chats."""
    first = [flat_line(number) for number in range(60)]
    second = [flat_line(number) for number in range(55, 100)]  # five lines stand in both files
    # The same answer to the same question, once accepted and once rejected.
    second.append(
        {**flat_line(100), "task": "t1", "ask": flat_line(5)["ask"], "said": "twice said", "reward": 1.0}
    )
    second.append(
        {**flat_line(101), "task": "t1", "ask": flat_line(5)["ask"], "said": "twice  said", "reward": 0.0}
    )
    return {
        "runs-a.jsonl": encoded(first) + b"{broken\n" + b'["no object"]\n',
        "runs-b.jsonl": encoded(second),
        "chats.jsonl": encoded([chat_line(number) for number in range(20)]),
    }


def make_workspace(root: Path, sources: Mapping[str, bytes] | None = None, settings: str = SETTINGS) -> Path:
    knowledge_base = root / paths.KNOWLEDGE_BASE
    knowledge_base.mkdir(parents=True)
    (root / "distill.toml").write_text(settings, encoding="utf-8")
    for name, data in (source_bytes() if sources is None else sources).items():
        (knowledge_base / name).write_bytes(data)
    return root


def engine(
    workspace: Path, *arguments: str, env: Mapping[str, str] | None = None, timeout: float = LIMIT_SECONDS
) -> subprocess.CompletedProcess[str]:
    """Run an engine command as operators do: in a process of its own."""
    return subprocess.run(
        [*engine_argv(arguments), "-C", str(workspace)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env={**os.environ, **(env or {})},
    )


def run_all(workspace: Path, *arguments: str, env: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The summary of a run that must succeed, with one fixed ``recorded_at``."""
    finished = engine(workspace, "run-all", "--json", "--recorded-at", RECORDED_AT, *arguments, env=env)
    assert finished.returncode == 0, finished.stderr
    summary: dict[str, Any] = json.loads(finished.stdout)
    return summary


def newest_summary(workspace: Path) -> dict[str, Any]:
    """Of the last run that committed."""
    return next(committed_summaries(workspace))


def output_bytes(workspace: Path) -> dict[str, bytes]:
    """Every row file that a run writes, by relative path."""
    found: dict[str, bytes] = {}
    for folder in (paths.EVIDENCE, paths.SCORED_RUNS, paths.EXPORTS):
        for path in sorted((workspace / folder).rglob("*.jsonl")):
            found[path.relative_to(workspace).as_posix()] = path.read_bytes()
    skips = workspace / paths.DISTILLATION_SKIPS
    if skips.exists():
        found[str(paths.DISTILLATION_SKIPS)] = skips.read_bytes()
    return found


def rows(workspace: Path, relative: object) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (workspace / str(relative)).read_bytes().splitlines()]
