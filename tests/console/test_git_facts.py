from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from console.reading import git_facts
from console.reading.git_facts import GitReader, read_git
from pipeline.platform.git import GitError, GitState, read_git_state
from pipeline.release.git_gates import clean_state

TAG = "distillation-v1.0.0"


def git(root: Path, *arguments: str) -> None:
    identity = {
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@b",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@b",
    }
    subprocess.run(
        ["git", *arguments],
        cwd=root,
        check=True,
        capture_output=True,
        env={**os.environ, **identity, "HOME": str(root)},
    )


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


def test_a_directory_inside_a_repository_is_not_one(repository: Path) -> None:
    inner = repository / "inner"
    inner.mkdir()
    assert read_git(inner, TAG, 5.0).note == "not a git repository"


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


@pytest.mark.parametrize(
    ("how", "dirty"),
    [("untracked", True), ("changed", True), ("hidden", True), ("merging", True), ("report", False)],
)
def test_dirty_means_the_same_in_console_receipt_and_release_gate(
    repository: Path, how: str, dirty: bool
) -> None:
    if how == "hidden":
        git(repository, "update-index", "--skip-worktree", "file")
    if how == "merging":
        (repository / ".git/MERGE_HEAD").write_text("0" * 40)
    written = {"untracked": "new", "report": "reports/distillation/new.md"}.get(how, "file")
    if how != "merging":
        (repository / written).parent.mkdir(parents=True, exist_ok=True)
        (repository / written).write_text("two\n")
    receipt = read_git_state(repository).to_dict()
    assert receipt is not None
    faces = (read_git(repository, TAG, 5.0).dirty, receipt["dirty"], clean_state(repository).failed == 1)
    assert faces == (dirty,) * 3


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
