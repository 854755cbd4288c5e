from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from console.reading.git_facts import GitReader, read_git

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


def test_a_changed_tracked_file_is_dirty_and_an_untracked_one_is_not(repository: Path) -> None:
    (repository / "new").write_text("x")
    assert read_git(repository, TAG, 5.0).dirty is False
    (repository / "file").write_text("two\n")
    assert read_git(repository, TAG, 5.0).dirty is True


def test_a_detached_head_has_no_branch(repository: Path) -> None:
    git(repository, "checkout", "-q", "--detach")
    assert read_git(repository, TAG, 5.0).branch is None


def test_a_missing_tag_and_a_tag_name_with_shell_syntax_are_notes(repository: Path) -> None:
    for name in ("v9", "$(touch pwned)", "--help", "a b;c"):
        status = read_git(repository, name, 5.0)
        assert status.tag_commit is None
        assert status.note == f"no tag {name}"
    assert not (repository / "pwned").exists()


def test_a_repository_without_a_commit_has_no_head(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    status = read_git(tmp_path, TAG, 5.0)
    assert (status.is_repository, status.branch, status.head) == (True, "main", None)


def test_a_directory_inside_a_repository_is_not_one(repository: Path) -> None:
    inner = repository / "inner"
    inner.mkdir()
    assert read_git(inner, TAG, 5.0).note == "not a git repository"


def test_a_damaged_repository_is_not_known_rather_than_clean(repository: Path) -> None:
    (repository / ".git/HEAD").write_text("garbage")
    status = read_git(repository, TAG, 5.0)
    assert status.dirty is None
    assert status.note.startswith("git ")


def test_nothing_that_the_repository_names_is_run(repository: Path) -> None:
    trap = repository / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {repository}/sprung\ncat\n")
    trap.chmod(0o755)
    (repository / ".gitattributes").write_text("file filter=evil diff=evil\n")
    hooks = repository / ".git/hooks"
    for name in ("post-index-change", "fsmonitor-watchman", "reference-transaction"):
        (hooks / name).write_text(trap.read_text())
        (hooks / name).chmod(0o755)
    for key in (
        "filter.evil.clean",
        "filter.evil.process",
        "diff.evil.textconv",
        "core.fsmonitor",
        "diff.external",
    ):
        git(repository, "config", key, str(trap))
    git(repository, "config", "filter.evil.required", "true")
    (repository / "file").write_text("two\n")
    os.utime(repository / "file", (1, 1))
    status = read_git(repository, TAG, 5.0)
    assert status.dirty is True
    assert not (repository / "sprung").exists()


def test_the_trap_would_have_sprung_without_the_precautions(repository: Path) -> None:
    """Guards the test above: a plain `git status` does run the clean filter."""
    trap = repository / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {repository}/sprung\ncat\n")
    trap.chmod(0o755)
    (repository / ".gitattributes").write_text("file filter=evil\n")
    git(repository, "config", "filter.evil.clean", str(trap))
    (repository / "file").write_text("two\n")
    os.utime(repository / "file", (1, 1))
    git(repository, "status")
    assert (repository / "sprung").exists()


def test_a_foreign_environment_does_not_lead_elsewhere(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_WORK_TREE", "/nowhere")
    assert read_git(repository, TAG, 5.0).branch == "main"


def test_answers_are_kept_for_some_seconds(repository: Path) -> None:
    reader = GitReader(repository)
    assert reader.read(TAG, 100.0).dirty is False
    (repository / "file").write_text("two\n")
    assert reader.read(TAG, 104.0).dirty is False
    assert reader.read(TAG, 106.0).dirty is True
    assert reader.read("other", 106.0).note == "no tag other"


def test_a_branch_named_with_other_line_ends_makes_no_tree_dirty(repository: Path) -> None:
    name = "a\u2028b\x85c\u2029d"
    git(repository, "checkout", "-q", "-b", name)
    status = read_git(repository, TAG, 5.0)
    assert (status.branch, status.dirty) == (name, False)
