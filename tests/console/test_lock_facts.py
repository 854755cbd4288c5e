from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

from pipeline.contracts import paths
from pipeline.reading.lock_facts import read_lock
from tests.console.workspaces import write

HOLDER = {
    "pid": 7,
    "host": "h",
    "user": "jun",
    "command": "run-all",
    "pipeline_run_id": "20260427T060000Z-9f31",
    "since": "2026-04-27T06:00:00Z",
}


def test_a_held_lock_names_its_holder(tmp_path: Path) -> None:
    path = write(tmp_path, paths.LOCK, json.dumps(HOLDER))
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        lock = read_lock(tmp_path, 9.0)
    assert (lock.held, lock.pid, lock.user, lock.command) == (True, 7, "jun", "run-all")
    assert lock.pipeline_run_id == "20260427T060000Z-9f31"
    assert lock.since == 1777269600.0
    assert lock.origin.as_of == 9.0


def test_the_word_of_a_dead_holder_is_not_believed(tmp_path: Path) -> None:
    write(tmp_path, paths.LOCK, json.dumps(HOLDER))
    lock = read_lock(tmp_path, 9.0)
    assert not lock.held
    assert lock.pid is None


def test_a_lock_that_says_garbage_is_still_held(tmp_path: Path) -> None:
    for word in (b"", b"\xff{", b"[1]", b'{"pid": "x", "since": 7, "user": null}'):
        path = write(tmp_path, paths.LOCK, word)
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            lock = read_lock(tmp_path, 9.0)
        assert lock.held
        assert lock.pid is None


def test_asking_does_not_keep_the_lock(tmp_path: Path) -> None:
    path = write(tmp_path, paths.LOCK, json.dumps(HOLDER))
    read_lock(tmp_path, 9.0)
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_no_lock_a_link_and_a_fifo_are_free(tmp_path: Path) -> None:
    assert not read_lock(tmp_path, 9.0).held
    write(tmp_path, "elsewhere", "x")
    (tmp_path / paths.STATE).mkdir()
    (tmp_path / paths.LOCK).symlink_to(tmp_path / "elsewhere")
    assert not read_lock(tmp_path, 9.0).held
    (tmp_path / paths.LOCK).unlink()
    os.mkfifo(tmp_path / paths.LOCK)
    assert not read_lock(tmp_path, 9.0).held


def test_an_open_commit_is_told(tmp_path: Path) -> None:
    assert not read_lock(tmp_path, 9.0).open_intent
    write(tmp_path, paths.INTENT, "{}")
    assert read_lock(tmp_path, 9.0).open_intent
