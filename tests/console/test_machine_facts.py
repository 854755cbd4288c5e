"""What the lock, git and the engine's code say, read without waiting for anybody."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from pathlib import Path

import pytest

from console.reading import git_facts
from console.reading.engine_code import UNTRUSTED, EngineCode
from console.reading.git_facts import GitReader, read_git
from pipeline.contracts import paths
from pipeline.contracts.discovery import installed_package
from pipeline.engine.code_digest import engine_digest
from pipeline.platform.code_digest import ROW_PACKAGES
from pipeline.platform.engine_choice import trust_what_we_made
from pipeline.platform.git import GitError, GitState
from pipeline.reading.lock_facts import read_lock
from tests.console.workspaces import write
from tests.git_commands import git

# The lock

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


# Git

TAG = "distillation-v1.0.0"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "file").write_text("one\n")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "-q", "-m", "one")
    git(tmp_path, "tag", TAG)
    return tmp_path


def test_branch_head_and_tag_are_read(repository: Path) -> None:
    status = read_git(repository, TAG, 5.0)
    assert status.branch == "main"
    assert status.dirty is False
    assert status.head is not None
    assert status.tag_commit == status.head
    assert status.origin.as_of == 5.0
    assert status.note == ""


def test_a_missing_tag_is_a_note(repository: Path) -> None:
    status = read_git(repository, "--help", 5.0)
    assert (status.tag_commit, status.note) == (None, "no tag --help")


def test_a_damaged_repository_is_not_known_rather_than_clean(repository: Path) -> None:
    (repository / ".git/HEAD").write_text("garbage")
    status = read_git(repository, TAG, 5.0)
    assert status.dirty is None
    assert status.note


def test_answers_are_kept_for_some_seconds(repository: Path) -> None:
    reader = GitReader(repository)
    assert reader.read(TAG, 100.0).dirty is False
    (repository / "file").write_text("two\n")
    assert reader.read(TAG, 104.0).dirty is False
    assert reader.read(TAG, 106.0).dirty is True
    assert reader.read("other", 106.0).note == "no tag other"


def test_a_tag_that_git_could_not_be_asked_for_is_not_called_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def starved(*_: object, **__: object) -> str:
        raise GitError("git could not be started: Too many open files")

    monkeypatch.setattr(git_facts, "read_git_state", lambda *_, **__: GitState(head="0" * 40, branch="main"))
    monkeypatch.setattr(git_facts, "look_up", starved)
    seen = read_git(tmp_path, "v1", 0.0)
    assert (seen.tag_commit, seen.lacks_tag, seen.note) == (
        None,
        False,
        "git could not be started: Too many open files",
    )


# The engine's code


def own_engine(root: Path) -> Path:
    """A workspace that brings a small engine of its own."""
    write(root, paths.SETTINGS, '[engine]\nsource = "workspace"\n')
    for name in ROW_PACKAGES:
        write(root, f"pipeline/{name}/__init__.py", f'"""{name}"""\n')
    trust_what_we_made(root)
    return root


def test_the_digest_is_the_one_that_the_engine_puts_into_its_reports(tmp_path: Path) -> None:
    write(tmp_path, paths.SETTINGS, "")
    assert EngineCode(tmp_path).digest() == engine_digest()


def test_a_workspaces_own_copy_of_the_engine_has_the_same_digest(tmp_path: Path) -> None:
    write(tmp_path, paths.SETTINGS, '[engine]\nsource = "workspace"\n')
    shutil.copytree(installed_package(), tmp_path / "pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    assert EngineCode(tmp_path).digest() == engine_digest()


def test_an_edited_line_is_another_engine_and_an_added_audit_is_not(tmp_path: Path) -> None:
    code = EngineCode(own_engine(tmp_path))
    before = code.digest()
    write(tmp_path, "pipeline/audit/p9.py", "x = 1\n")
    assert code.digest() == UNTRUSTED
    trust_what_we_made(tmp_path)
    assert code.digest() == before
    write(tmp_path, "pipeline/stages/__init__.py", "x = 1\n")
    trust_what_we_made(tmp_path)
    assert code.digest() not in (before, UNTRUSTED, None)


def test_code_that_cannot_be_read_has_no_digest_and_blocks_nobody(tmp_path: Path) -> None:
    code = EngineCode(own_engine(tmp_path))
    os.mkfifo(tmp_path / "pipeline/stages/fifo.py")
    assert code.digest() == UNTRUSTED
    shutil.rmtree(tmp_path / "pipeline")
    assert code.digest() is None
