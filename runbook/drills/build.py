"""Build the sound workspace of a drill: code with a history, data, a run, a green audit.

Its source lines are small, made up, and have something of everything. Two streams: single answers
and conversations. Every verdict is among them, attempts at the same task that make pairs, one line
that stands in two files, and lines that no mapper may use.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pipeline
from pipeline.contracts import paths
from pipeline.contracts.discovery import EngineChoice, engine_argv
from pipeline.platform.process import run
from runbook.drills.drill import AIKO, INES, TOMAS, Scene, does_not_fit, seeded

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
SETTINGS = f"""\
# The settings of a drill's workspace, which `distill drill start` made to be broken and repaired.
[workspace]
name = "drill"
last_good_tag = "{paths.DEFAULT_TAG}"

[engine]
# The engine that runs is the copy in pipeline/, so that restoring a file of it repairs it.
source = "workspace"

[rotation]
replay_log_mb = 1.0
"""
RECON = """\
# Recon

Two teams log to this machine. Harbour and Uplands write `runs-*.jsonl`: one question, one answer,
and a score between 0 and 1 from their tests, or none where nobody looked. The node watch writes
`chats.jsonl`: conversations with one tool call, scored 1 or 0. Both are read whole each night.

There is no personal data in either; services and nodes are made up. Each task of a team is tried
five times with three models, so that right and wrong answers to the same question can be paired.
"""
ON_CALL = "# On call\n\nInes until Thursday, then Tomas. Aiko knows the exporter.\n"
ON_CALL_DOC = "docs/on-call.md"
_INIT_SECONDS = 60.0


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


def build_sound(root: Path, say: Callable[[str], None]) -> Scene:
    """Fill the new directory ``root``. Raises StorageError; takes ten seconds to a minute.

    ``say`` is told what is being done.
    """
    scene = seeded(root, 0)
    say("a workspace with sources, settings and an engine of its own, in git")
    _init(root)
    _commit_parts(scene)
    say("a run of it")
    scene.engine("run-all")
    say("a green audit of it, acceptance included")
    scene.engine("audit-full")
    return scene


def _init(root: Path) -> None:
    """What every workspace starts from (.gitignore, contract tests), by the installed engine."""
    ran = run(
        engine_argv(["init", str(root)]),
        cwd=root.parent,
        env=EngineChoice("installed", None, "drill").environment(),
        limit_seconds=_INIT_SECONDS,
    )
    if ran.exit_code != 0:
        raise does_not_fit(f"distill init ended with {ran.exit_code}: {ran.reason}")
    (root / paths.SETTINGS).unlink()
    shutil.copytree(
        Path(pipeline.__path__[0]).resolve(),
        root / "pipeline",
        ignore=shutil.ignore_patterns("__pycache__", "*.pyc"),
    )
    for name, data in source_files().items():
        (root / paths.KNOWLEDGE_BASE / name).write_bytes(data)


def _commit_parts(scene: Scene) -> None:
    """Several commits by several people, so that the one which broke it can be told from others."""
    root = scene.root
    (root / paths.RECON_DOC).write_text(RECON, encoding="utf-8")
    scene.git("add", "docs", ".gitignore")
    scene.git("commit", "--quiet", "--no-verify", "-m", "recon: say what the sources are", author=INES)
    scene.git("add", "pipeline")
    scene.git("commit", "--quiet", "--no-verify", "-m", "engine: run our own copy", author=AIKO)
    (root / paths.SETTINGS).write_text(f"{SETTINGS}\n{STREAMS}", encoding="utf-8")
    scene.commit("streams: read runs and chats, and test the workspace", author=TOMAS)
    scene.git("tag", "--annotate", "-m", "The last good state: what repairs restore to.", paths.DEFAULT_TAG)
    (root / ON_CALL_DOC).write_text(ON_CALL, encoding="utf-8")
    scene.commit("docs: say who is on call", author=INES)
