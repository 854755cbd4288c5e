"""What must stand after a crash: a whole set of outputs, and reports that say what is on disk."""

from __future__ import annotations

import hashlib
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from pipeline.contracts import paths
from pipeline.engine import commit
from pipeline.engine.last_run import committed_summaries, receipts_of
from pipeline.platform import lock
from tests.crash import killable_run
from tests.pipeline.engine.workspaces import (
    RECORDED_AT,
    chat_line,
    encoded,
    newest_summary,
    output_bytes,
)
from tests.waiting import wait_until

RUN_ALL = ("run-all", "--recorded-at", RECORDED_AT, "--chunk-bytes", "4KiB")


@dataclass(frozen=True)
class Straight:
    """A run that nothing disturbed: where it starts from, and where it ends."""

    start: Path
    last_good: dict[str, bytes]
    run_hash: str
    outputs: dict[str, bytes]
    elapsed_seconds: float

    def copy_start(self, to: Path) -> Path:
        shutil.copytree(self.start, to)
        return to


def straight_run(workspace: Path, *, start: Path, last_good: dict[str, bytes]) -> Straight:
    started = time.monotonic()
    run_hash = finish(workspace, "--workers", "2")
    elapsed_seconds = time.monotonic() - started
    return Straight(start, last_good, run_hash, output_bytes(workspace), elapsed_seconds)


def finish(workspace: Path, *options: str) -> str:
    """The run_hash of a run that must succeed."""
    code, output = killable_run.run(workspace, [*RUN_ALL, "--json", *options])
    assert code == 0, output
    run_hash: str = newest_summary(workspace)["run_hash"]
    return run_hash


def change_sources(workspace: Path) -> None:
    """Other bytes in one file, more lines in another: all exports will differ."""
    knowledge_base = workspace / paths.KNOWLEDGE_BASE
    runs = knowledge_base / "runs-b.jsonl"
    runs.write_bytes(
        runs.read_bytes().replace(b"answer 70:", b"answer 7O:").replace(b"answer 71:", b"eh 71:")
    )
    with (knowledge_base / "chats.jsonl").open("ab") as chats:
        chats.write(encoded([chat_line(number) for number in range(30, 36)]) + b"{broken\n")


def assert_whole(workspace: Path, *sets: dict[str, bytes]) -> None:
    """The outputs are exactly one of ``sets``, and the newest report that reads as passed
    describes that set."""
    outputs = output_bytes(workspace)
    assert outputs in sets, {path: hashlib.sha256(data).hexdigest()[:8] for path, data in outputs.items()}
    summary = next(committed_summaries(workspace), None)
    if summary is None:
        assert outputs == {}
        return
    receipts = receipts_of(workspace, summary)
    for stage in summary["stages"]:
        assert hashlib.sha256((workspace / stage["receipt"]).read_bytes()).hexdigest() == stage["sha256"]
    claimed = {
        output["path"]: output["sha256"]
        for stage in summary["stages"]
        for output in receipts[stage["stage"]]["outputs"]
    }
    for path, digest in claimed.items():
        assert hashlib.sha256((workspace / path).read_bytes()).hexdigest() == digest, path
    assert outputs.keys() <= claimed.keys()


def assert_whole_after_settling(workspace: Path, scratch: Path, *sets: dict[str, bytes]) -> bool:
    """``assert_whole``, in a copy that has been settled when an intent is open; whether one was.

    A child in a session of its own (git) that its parent had just forked has the lock until it becomes
    its program, a moment after the parent's death.
    """
    wait_until(lambda: not lock.is_held(workspace), "the lock free after the kill")
    if not (workspace / paths.INTENT).exists():
        assert_whole(workspace, *sets)
        return False
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.copytree(workspace, scratch)
    assert commit.settle(scratch) is not None
    assert not (scratch / paths.INTENT).exists()
    assert_whole(scratch, *sets)
    return True
