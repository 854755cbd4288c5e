"""A small workspace with a finished run in it, for the tests of lineage and explain.

Its four streams lie plain, in gzip, in zstd, and in a source root outside.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import zstandard

from pipeline.cli import main
from pipeline.contracts.faults import ExitCode

STREAM = """
[[stream]]
name = "{name}"
tier = 1
path = "{path}"
[stream.fields]
task_id = "task"
instruction = "question"
response = "answer"
reward = "reward"
"""
PATHS = {
    "airline": "data/_kb/airline.jsonl",
    "zipped": "data/_kb/zipped.jsonl.gz",
    "packed": "data/_kb/packed.jsonl.zst",
    "outside": "../outside/outside.jsonl",
}


def lines(name: str) -> list[bytes]:
    """Accepted, rejected, partially accepted; the third line is broken."""
    rows = [
        {"task": "1", "question": f"{name}: cancel ZFA04Y", "answer": f"{name}: cancelled", "reward": 1.0},
        {"task": "1", "question": f"{name}: cancel ZFA04Y", "answer": f"{name}: no", "reward": 0.0},
        {"task": "2", "question": "\x1b[31mred\u202e", "answer": f"{name}: half\u009b", "reward": 0.7},
    ]
    good = [json.dumps(row, ensure_ascii=False).encode() for row in rows]
    return [*good[:2], b'{"task": "3", broken', good[2]]


def content(name: str) -> bytes:
    # The last line end is a CRLF, which is no part of the line.
    return b"\n".join(lines(name)) + b"\r\n"


def build(folder: Path) -> Path:
    """Make ``folder/workspace`` and ``folder/outside``, and run the engine."""
    workspace = folder / "workspace"
    (workspace / "data" / "_kb").mkdir(parents=True)
    (folder / "outside").mkdir()
    (workspace / PATHS["airline"]).write_bytes(content("airline"))
    (workspace / PATHS["zipped"]).write_bytes(gzip.compress(content("zipped"), mtime=0))
    (workspace / PATHS["packed"]).write_bytes(zstandard.compress(content("packed")))
    (workspace / PATHS["outside"]).write_bytes(content("outside"))
    streams = "".join(STREAM.format(name=name, path=path) for name, path in PATHS.items())
    (workspace / "distill.toml").write_text(
        f'[workspace]\nname = "traced"\nsource_roots = ["../outside"]\n{streams}'
    )
    done = main(["run-all", "-C", str(workspace), "--workers", "1", "--recorded-at", "2026-11-24T06:14:07Z"])
    assert done == ExitCode.OK
    return workspace


def rows(workspace: Path, relative: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (workspace / relative).read_text(encoding="utf-8").splitlines()]
