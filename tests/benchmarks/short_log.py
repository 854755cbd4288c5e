"""A log of short lines, of about 120 bytes: what a run holds is then a matter of lines, not of texts.

A task has five attempts, spread over the whole log, with every verdict among them.
"""

from __future__ import annotations

import random
from pathlib import Path

import orjson

from pipeline.contracts import paths

SOURCE = paths.KNOWLEDGE_BASE / "short.jsonl"
SETTINGS = f"""\
[[stream]]
name = "short"
path = "{SOURCE}"
[stream.fields]
task_id = "task"
instruction = "ask"
response = "said"
reward = "reward"
"""
_ATTEMPTS_PER_TASK = 5
_REWARDS = (1.0, 1.0, 0.6, None, 0.1)
_WORD_TEXT = "open close read write search table index cache branch merge commit review deploy alarm retry"
_WORDS = _WORD_TEXT.split()


def make_workspace(root: Path, lines: int) -> int:
    """A workspace with such a log; returns its bytes."""
    (root / SOURCE.parent).mkdir(parents=True)
    (root / paths.SETTINGS).write_text(SETTINGS, encoding="utf-8")
    append(root / SOURCE, lines)
    return (root / SOURCE).stat().st_size


def append(source: Path, lines: int, seed: int = 5) -> None:
    """The same arguments append the same bytes."""
    made = random.Random(seed)  # noqa: S311 - made-up logs, no secret
    tasks = max(1, lines // _ATTEMPTS_PER_TASK)
    with source.open("ab", buffering=1 << 20) as file:
        for _ in range(lines):
            task = made.randrange(tasks)
            said = " ".join(made.choices(_WORDS, k=3))
            row = {
                "task": f"t{task}",
                "ask": f"Do {_WORDS[task % len(_WORDS)]} of {task} please.",
                "said": f"I did {said} {made.randrange(1 << 40)}",
                "reward": made.choice(_REWARDS),
            }
            file.write(orjson.dumps(row) + b"\n")
