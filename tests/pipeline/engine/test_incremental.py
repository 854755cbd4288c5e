"""Whatever was done to the sources since, a run over what stands gives what a run from scratch gives."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline import cli
from pipeline.contracts import paths
from pipeline.storage.digests import unstamp
from tests.pipeline.engine.workspaces import (
    SETTINGS,
    chat_line,
    encoded,
    flat_line,
    make_workspace,
    output_bytes,
)

STEPS = 5
SCORINGS = ("", "\n[scoring]\naccept_at = 0.5\n", "\n[export.preference]\nmax_pairs_per_task = 1\n")


def run(workspace: Path, stamp: str, *options: str) -> str:
    arguments = ["run-all", "-C", str(workspace), "--workers", "1", "--recorded-at", stamp, "--allow-shrink"]
    assert cli.main([*arguments, *options]) == 0
    newest = max((workspace / paths.REPORTS).glob("*/summary.json"), key=lambda path: path.stat().st_mtime_ns)
    run_hash: str = json.loads(newest.read_bytes())["run_hash"]
    return run_hash


class Sources:
    """The sources of one workspace, and what may happen to them between two runs."""

    def __init__(self, root: Path, seed: int) -> None:
        self.workspace = make_workspace(root)
        self._kb = root / paths.KNOWLEDGE_BASE
        self._random = random.Random(seed)  # noqa: S311
        self._number = 1000
        self._gone: dict[str, bytes] = {}

    def change(self) -> None:
        acts: list[Callable[[], None]] = [
            self._append,
            self._append,
            self._append_to_old_tasks,
            self._turn_a_pair_around,
            self._edit_a_line,
            self._remove_or_bring_back,
            self._change_settings,
            self._append_a_torn_line,
        ]
        for act in self._random.sample(acts, self._random.randint(1, 3)):
            act()

    def _file(self) -> Path:
        return self._random.choice(sorted(self._kb.glob("runs*.jsonl")))

    def _add(self, path: Path, rows: list[dict[str, Any]]) -> None:
        data = path.read_bytes()
        whole = data if data.endswith(b"\n") or not data else data + b"\n"
        path.write_bytes(whole + encoded(rows))

    def _numbers(self) -> range:
        self._number += 10
        return range(self._number, self._number + self._random.randint(1, 9))

    def _append(self) -> None:
        self._add(self._file(), [flat_line(number) for number in self._numbers()])
        self._add(self._kb / "chats.jsonl", [chat_line(number) for number in self._numbers()])

    def _append_to_old_tasks(self) -> None:
        old = self._random.randrange(20)
        same = {"task": f"t{old}", "ask": flat_line(5 * old)["ask"]}
        self._add(self._file(), [{**flat_line(number), **same} for number in self._numbers()])

    def _turn_a_pair_around(self) -> None:
        """An answer that stands is given again with the other verdict."""
        row = flat_line(self._random.randrange(50))
        self._add(self._file(), [{**row, "reward": 1.0 - row["reward"]}])

    def _edit_a_line(self) -> None:
        path = self._file()
        lines = path.read_bytes().splitlines(keepends=True)
        at = self._random.randrange(len(lines))
        lines[at] = self._random.choice([b"{broken\n", lines[at].replace(b"answer", b"reply"), b""])
        path.write_bytes(b"".join(lines))

    def _remove_or_bring_back(self) -> None:
        path = self._kb / "runs-b.jsonl"
        if path.exists():
            self._gone[path.name] = path.read_bytes()
            path.unlink()
        else:
            path.write_bytes(self._gone.pop(path.name))

    def _change_settings(self) -> None:
        (self.workspace / paths.SETTINGS).write_text(SETTINGS + self._random.choice(SCORINGS))

    def _append_a_torn_line(self) -> None:
        path = self._kb / "chats.jsonl"
        path.write_bytes(path.read_bytes() + b'{"task": 7, "reward"')


def unstamped(data: bytes) -> list[bytes]:
    return [unstamp(line) for line in data.splitlines(keepends=True)]


@pytest.mark.parametrize("seed", range(3))
def test_a_run_over_what_stands_gives_what_a_run_from_scratch_gives(tmp_path: Path, seed: int) -> None:
    sources = Sources(tmp_path / "w", seed)
    chunk_bytes = random.Random(seed)  # noqa: S311
    run(sources.workspace, "2026-01-01T00:00:00Z", "--chunk-bytes", "2KiB")
    before = output_bytes(sources.workspace)
    for step in range(STEPS):
        sources.change()
        stamp = f"2026-02-0{step + 1}T00:00:00Z"
        size = chunk_bytes.choice(["2KiB", "2KiB", "3KiB", "64KiB"])
        run_hash = run(sources.workspace, stamp, "--chunk-bytes", size)
        after = output_bytes(sources.workspace)
        fresh = tmp_path / f"fresh-{step}"
        fresh.mkdir()
        shutil.copy(sources.workspace / paths.SETTINGS, fresh)
        shutil.copytree(
            sources.workspace / paths.KNOWLEDGE_BASE,
            fresh / paths.KNOWLEDGE_BASE,
            ignore=shutil.ignore_patterns("*_skips.jsonl"),
        )
        assert run(fresh, stamp, "--chunk-bytes", "8KiB") == run_hash
        scratch = output_bytes(fresh)
        assert scratch.keys() == after.keys()
        for name, data in after.items():
            assert unstamped(data) == unstamped(scratch[name]), name
            assert data == kept(before.get(name, b""), scratch[name]), name
        before = after


def kept(before: bytes, scratch: bytes) -> bytes:
    """``scratch``, of which the rows that it shares with the beginning of ``before`` keep their stamps."""
    old, new = before.splitlines(keepends=True), scratch.splitlines(keepends=True)
    same = 0
    while same < min(len(old), len(new)) and unstamp(old[same]) == unstamp(new[same]):
        same += 1
    return b"".join(old[:same] + new[same:])
