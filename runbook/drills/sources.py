"""The source lines of a drill's workspace: small, made up, and with something of everything.

Two streams: single answers and conversations. Every verdict is among them, attempts at the same
task that make pairs, one line that stands in two files, and lines that no mapper may use.
"""

from __future__ import annotations

import json
from typing import Any

STREAMS = """\
[[stream]]
name = "runs"
path = "data/_kb/runs*.jsonl"
tier = 1
[stream.fields]
task_id = "task"
instruction = "ask"
response = "said"
model_name = "model"
reward = "outcome.score"
timestamp = "started_at"
latency_ms = "usage.latency_ms"

[[stream]]
name = "chats"
path = "data/_kb/chats*.jsonl"
tier = 1
[stream.fields]
task_id = "task"
messages = "turns"
model_name = "model"
reward = "reward"
"""
_SERVICES = ("billing", "harbour", "ledger", "mailer", "queue", "search", "signal", "vault")
_ASKS = (
    "How do I stop {} without losing what it is working on?",
    "Why does {} answer slowly after a deploy?",
    "Which file says where {} keeps its data?",
    "How is {} put back to yesterday's state?",
)
_SAID = (
    "Drain {0} first, wait until its queue is empty, then stop it; attempt {1} took {2} steps.",
    "Look at the log of {0}: the first requests after a start build its index, {2} of them in attempt {1}.",
    "The settings of {0} name it under `storage.path`; attempt {1} read {2} files to find that.",
    "Stop {0}, restore the snapshot, start it and compare {2} rows; this was attempt {1}.",
)
# Of five attempts at a task two are right, one partly, one is not judged and one is wrong.
_REWARDS = (1.0, 0.0, 0.6, 1.0, None)
_TASKS = 32
_ATTEMPTS = 5
_CHATS = 24


def source_files() -> dict[str, bytes]:
    """File name below ``data/_kb/`` to its bytes; the same ones each time."""
    runs = [_run(task, attempt) for task in range(_TASKS) for attempt in range(_ATTEMPTS)]
    half = len(runs) // 2
    return {
        "runs-harbour.jsonl": _lines(runs[:half]) + b'{"task": "torn", "ask": \n["no", "object"]\n',
        "runs-uplands.jsonl": _lines(runs[half - 1 :]),
        "chats.jsonl": _lines([_chat(number) for number in range(_CHATS)]),
    }


def _run(task: int, attempt: int) -> dict[str, Any]:
    kind, service = task % len(_ASKS), _SERVICES[task // len(_ASKS)]
    number = task * _ATTEMPTS + attempt
    return {
        "task": f"task-{task:03}",
        "ask": _ASKS[kind].format(service),
        "said": _SAID[kind].format(service, attempt + 1, 3 + number % 7),
        "model": ("delta-8b", "delta-70b", "sigma")[number % 3],
        "outcome": {"score": _REWARDS[attempt], "judge": "tests"},
        "started_at": f"2026-03-{task % 28 + 1:02}T{attempt + 8:02}:{number % 60:02}:00Z",
        "usage": {"latency_ms": 400.0 + 13 * number},
    }


def _chat(number: int) -> dict[str, Any]:
    """Two attempts share a prompt and part at the first answer; the second one failed."""
    node = number // 2
    call = {"id": f"c{number}", "function": {"name": "look", "arguments": f'{{"node": {node}}}'}}
    return {
        "task": f"chat-{node:03}",
        "model": "delta-8b",
        "reward": 1.0 if number % 2 == 0 else 0.0,
        "turns": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": f"What is the state of node {node}?"},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": f"c{number}", "name": "look", "content": "up"},
            {"role": "assistant", "content": f"Node {node} is up; look number {number} says so."},
        ],
    }


def _lines(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)
