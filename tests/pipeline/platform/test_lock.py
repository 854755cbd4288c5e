"""One run at a time: held means that the kernel says so, and asking holds nothing."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from pipeline.contracts import paths
from pipeline.contracts.faults import StorageError, WorkspaceLockedError
from pipeline.platform import disk, lock
from tests.pipeline.engine.workspaces import engine, make_workspace, run_all

HOLDER = """\
import sys
from pathlib import Path
from pipeline.platform import lock
with lock.hold_workspace(Path(sys.argv[1]), command="held-run", pipeline_run_id="r", argv=["held-run"]):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def _held_elsewhere(workspace: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process holds the lock; its line on stdout says from when on."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(workspace)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield holder
        holder.kill()


def _hold(workspace: Path) -> AbstractContextManager[lock.Lock]:
    return lock.hold_workspace(workspace, command="run-all", pipeline_run_id="r", argv=["run-all"])


def test_a_second_run_ends_with_75_and_names_the_holder(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    with _held_elsewhere(workspace) as holder:
        assert lock.is_held(workspace)
        for command in ("run-all", "materialize"):
            second = engine(workspace, command)
            assert second.returncode == 75
            assert f"held-run (pid {holder.pid}," in second.stderr
            assert len(second.stderr.splitlines()) == 3
        assert not (workspace / paths.REPORTS).exists()
    assert not lock.is_held(workspace)


def test_the_lock_of_a_killed_holder_is_free_at_once(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    with _held_elsewhere(workspace) as holder:
        holder.kill()
        holder.wait()
        word = json.loads((workspace / paths.LOCK).read_bytes())
        assert word["pid"] == holder.pid  # the word is still there, and means nothing
        assert lock.holder_of(workspace, paths.LOCK) is None
        assert run_all(workspace)["ok"] is True


@pytest.mark.parametrize("word", [b"", b"\x00\xff", b'{"pid": 1}\n', b"[]", b"x" * 100_000])
def test_what_the_file_says_does_not_hold(tmp_path: Path, word: bytes) -> None:
    (tmp_path / ".distill").mkdir()
    (tmp_path / paths.LOCK).write_bytes(word)
    assert not lock.is_held(tmp_path)
    with _hold(tmp_path):
        holder = lock.holder_of(tmp_path, paths.LOCK)
        assert holder is not None
        assert (holder.pid, holder.command) == (os.getpid(), "run-all")
        said = json.loads((tmp_path / paths.LOCK).read_bytes())
        assert set(said) == {"pid", "host", "user", "command", "pipeline_run_id", "since", "argv"}


def test_a_holder_that_left_no_readable_word_is_still_a_holder(tmp_path: Path) -> None:
    (tmp_path / ".distill").mkdir()
    with (tmp_path / paths.LOCK).open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(WorkspaceLockedError, match=r"held by a run \(pid \?"), _hold(tmp_path):
            raise AssertionError("the block must not be entered")


def test_a_worker_that_gives_its_copy_back_does_not_free_the_lock(tmp_path: Path) -> None:
    with _hold(tmp_path) as held:
        child = os.fork()
        if child == 0:
            held.forget()
            os._exit(0)
        os.waitpid(child, 0)
        assert lock.is_held(tmp_path)


def test_a_linked_lock_is_refused_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / ".distill").mkdir()
    outside = tmp_path / "outside"
    outside.write_bytes(b"mine")
    (tmp_path / paths.LOCK).symlink_to(outside)
    with pytest.raises(StorageError, match="is a link"), _hold(tmp_path):
        raise AssertionError("the block must not be entered")
    assert outside.read_bytes() == b"mine"


def test_a_linked_state_folder_is_refused_and_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / ".distill").symlink_to(outside)
    with pytest.raises(StorageError, match="is a link"), _hold(tmp_path):
        raise AssertionError("the block must not be entered")
    assert list(outside.iterdir()) == []


class _FullDisk(disk.DiskOperations):
    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        raise OSError(28, "No space left on device")


def test_a_disk_that_cannot_take_the_holders_name_is_a_fault_and_frees_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "operations", _FullDisk())
    with pytest.raises(StorageError, match="No space left"), _hold(tmp_path):
        raise AssertionError("the block must not be entered")
    assert not lock.is_held(tmp_path)


def test_the_holder_is_one_line_of_json(tmp_path: Path) -> None:
    with _hold(tmp_path):
        line = (tmp_path / paths.LOCK).read_text(encoding="utf-8")
    assert line.endswith("\n")
    assert json.loads(line)["command"] == "run-all"


def test_probes_by_watchers_never_turn_a_run_away(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w", {})
    stop = threading.Event()

    def probe() -> None:
        # A thousand times as often as any watcher looks.
        while not stop.wait(0.001):
            lock.is_held(workspace)

    watchers = [threading.Thread(target=probe) for _ in range(3)]
    for watcher in watchers:
        watcher.start()
    try:
        for _ in range(200):
            with lock.hold_workspace(workspace, command="run-all", pipeline_run_id="r", argv=()):
                pass
    finally:
        stop.set()
        for watcher in watchers:
            watcher.join()
