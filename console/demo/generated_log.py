"""A seeded log of agent runs: one stream of lines of about 3 KB, 2 % of them bad.

The fixtures are read within a second; this is what makes a demo's run long enough to be
watched, and what the benchmarks measure on. The same arguments give the same bytes. A task has
about five attempts, spread over the whole file, so that duplicates, conflicts and pairs have to
be settled across chunks. Line lengths are log-normal, as real agent logs are, with one line of
190 KB in the middle.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

FILE_NAME = "agent_runs.jsonl"
ATTEMPTS_PER_TASK = 5
LONGEST_TEXT = 190_000
# Verdict of an attempt and how often it occurs: full marks, partly right, not judged, wrong.
OUTCOMES: tuple[tuple[float | None, int], ...] = ((1.0, 45), (0.6, 20), (None, 20), (0.1, 15))
STREAM = """\
[[stream]]
name = "agent_runs"
path = "data/_kb/agent_runs*.jsonl"
[stream.fields]
task_id = "task"
instruction = "prompt"
response = "response"
model_name = "model"
timestamp = "started_at"
reward = "outcome.score"
tokens = "usage.total_tokens"
cost_usd = "usage.cost_usd"
latency_ms = "usage.latency_ms"
"""
_WORD_TEXT = (
    "open close read write search table index cache branch merge commit review deploy rollback alarm "
    "timeout retry queue worker chunk digest schema verdict export receipt operator harbour signal "
    "because after before until which where without between first second third larger smaller equal"
)
_WORDS = _WORD_TEXT.split()
_SNIPPETS = (
    "def total(rows):\n    return sum(row['count'] for row in rows)\n",
    'if name == "main":\n\traise ValueError("a \\\\ path")\n',
    "SELECT stream, count(*) FROM rows GROUP BY stream;\n",
    '{"depth": [1, [2, {"leaf": null}]]}\n',
    "$ make test\n....F..\nE   assert 3 == 4\n",
)
_FOREIGN = ("naïve café; ", "数据与模型 ", "журнал запусков ", "→ fertig ✓ ", "größer als 🙂 ")
_MODELS = ("delta-70b", "delta-8b", "sigma-mini", "sigma-pro")
_TOOLS = ("read_file", "shell", "search", "edit", "fetch")


@dataclass(frozen=True)
class GeneratedLog:
    """What was written. ``bad`` lines are those no mapper may use."""

    rows: int
    bad: int
    size_bytes: int


class LogGenerator:
    """Lines ``0 … rows-1`` of a log. Restarting gives the same lines."""

    def __init__(self, rows: int, seed: int, bad_share: float) -> None:
        self.rows = rows
        self.bad_share = bad_share
        self.bad = 0
        self._rng = random.Random(seed)  # noqa: S311 - made-up logs, no secret
        self._text = _text_pool(self._rng, 2_000_000)
        self._tasks = max(1, rows // ATTEMPTS_PER_TASK)

    def __iter__(self) -> Iterator[bytes]:
        for number in range(self.rows):
            row = self._row(number)
            if self._rng.random() < self.bad_share:
                self.bad += 1
                yield self._spoilt(row)
            else:
                yield orjson.dumps(row)

    def _row(self, number: int) -> dict[str, Any]:
        rng = self._rng
        length = int(min(LONGEST_TEXT, rng.lognormvariate(math.log(1450), 1.0)))
        if number == self.rows // 2:
            length = LONGEST_TEXT
        task = rng.randrange(self._tasks)
        score = rng.choices([o[0] for o in OUTCOMES], weights=[o[1] for o in OUTCOMES])[0]
        steps = [
            {
                "tool": rng.choice(_TOOLS),
                "arguments": {"path": f"/src/part_{rng.randrange(999)}.py", "query": self._cut(40)},
                "result": self._cut(max(20, length // 8)),
                "ok": rng.random() < 0.85,
            }
            for _ in range(rng.randrange(4))
        ]
        return {
            "run": f"run-{number:08d}",
            "task": f"task-{task:07d}",
            "started_at": f"2026-03-{number % 28 + 1:02d}T{number % 24:02d}:{number % 60:02d}:00Z",
            "agent": f"agent-{rng.randrange(12)}",
            "model": rng.choice(_MODELS),
            # One prompt a task: a pair needs two attempts at the same one.
            "prompt": self._at(task * 7919, 60 + task % 900),
            "response": self._cut(max(60, length // 2)),
            "steps": steps,
            "outcome": {"score": score, "judge": "tests"},
            "usage": {
                "total_tokens": rng.randrange(50, 9000),
                "cost_usd": round(rng.random() / 40, 6),
                "latency_ms": round(rng.random() * 40_000, 1),
            },
            "tags": rng.sample(_WORDS, 3),
        }

    def _spoilt(self, row: dict[str, Any]) -> bytes:
        line = orjson.dumps(row)
        match self._rng.randrange(6):
            case 0:
                return line[: self._rng.randrange(10, len(line) - 1)]
            case 1:
                return line[:-1] + b",}"
            case 2:
                return b'{"text":"\xff\xfe",' + line[1:]
            case 3:
                return b'{"number":NaN,' + line[1:]
            case 4:
                return b'{"task":"twice",' + line[1:]
            case _:
                return b"no JSON at all"

    def _cut(self, length: int) -> str:
        return self._at(self._rng.randrange(len(self._text)), length)

    def _at(self, offset: int, length: int) -> str:
        start = offset % (len(self._text) - LONGEST_TEXT)
        return self._text[start : start + length]


def generate(path: Path, rows: int, seed: int = 11, bad_share: float = 0.02) -> GeneratedLog:
    """Write the log to ``path``, one line end after every line."""
    generator = LogGenerator(rows, seed, bad_share)
    path.parent.mkdir(parents=True, exist_ok=True)
    size_bytes = 0
    with path.open("wb", buffering=1 << 20) as file:
        for line in generator:
            size_bytes += file.write(line) + file.write(b"\n")
    return GeneratedLog(rows, generator.bad, size_bytes)


def _text_pool(rng: random.Random, size: int) -> str:
    pieces: list[str] = []
    length = 0
    while length < size:
        kind = rng.random()
        if kind < 0.12:
            piece = rng.choice(_SNIPPETS)
        elif kind < 0.16:
            piece = rng.choice(_FOREIGN)
        else:
            piece = " ".join(rng.choices(_WORDS, k=12)) + rng.choice((". ", ".\n"))
        pieces.append(piece)
        length += len(piece)
    return "".join(pieces)
