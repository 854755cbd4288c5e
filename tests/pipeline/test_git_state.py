"""Reading a git repository that may be hostile."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pipeline import git_state
from pipeline.git_state import NEEDS_GIT, GitError, GitState, GitTag, read_git_state, read_tags, run_git


def git(root: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Op", "-c", "user.email=op@example.com", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *identity, *arguments],
        cwd=root,
        env=git_state.scrubbed_environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git_state.make_repository(tmp_path)
    (tmp_path / "a.txt").write_text("one\n")
    git(tmp_path, "add", "a.txt")
    git(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


def test_head_and_branch_of_a_clean_repository(repository: Path) -> None:
    head = git(repository, "rev-parse", "HEAD")
    assert read_git_state(repository) == GitState(head=head, branch="main", dirty=False)
    assert read_git_state(repository).to_dict() == {"head": head, "branch": "main", "dirty": False}


@pytest.mark.parametrize("name", ["a.txt", "new.txt"])
def test_a_changed_or_an_untracked_file_makes_it_dirty(repository: Path, name: str) -> None:
    (repository / name).write_text("two\n")
    assert read_git_state(repository).dirty is True


def test_a_detached_head_has_no_branch(repository: Path) -> None:
    git(repository, "checkout", "-q", "--detach")
    state = read_git_state(repository)
    assert state.branch is None
    assert state.head is not None


def test_before_the_first_commit_there_is_a_branch_and_no_head(tmp_path: Path) -> None:
    git_state.make_repository(tmp_path)
    assert read_git_state(tmp_path) == GitState(head=None, branch="main", dirty=False)


def test_a_directory_without_a_repository_says_what_it_cannot_offer(tmp_path: Path) -> None:
    state = read_git_state(tmp_path)
    assert state.problem == "not a git repository"
    assert state.cannot_offer == NEEDS_GIT
    assert state.to_dict() is None
    with pytest.raises(GitError):
        read_tags(tmp_path)


def test_a_repository_further_up_is_not_taken_for_the_workspace(repository: Path) -> None:
    below = repository / "below"
    below.mkdir()
    assert read_git_state(below).problem == "not a git repository"
    (below / ".git").mkdir()
    assert "not a git repository" in str(read_git_state(below).problem)


def test_an_inherited_git_dir_does_not_redirect_it(
    repository: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path_factory.mktemp("other")
    git_state.make_repository(other)
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    git(repository, "tag", "v1")
    assert read_git_state(repository).head is not None
    assert [tag.name for tag in read_tags(repository)] == ["v1"]
    assert os.environ["GIT_DIR"] == str(other / ".git")


def test_a_missing_git_is_a_problem_and_not_a_crash(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(repository))
    assert read_git_state(repository).problem == "git is not installed"
    with pytest.raises(GitError, match="not installed"):
        read_tags(repository)


def test_a_git_that_hangs_is_a_problem(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = repository / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\nexec tail -f /dev/null\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    with pytest.raises(GitError, match="took longer than"):
        run_git(repository, ("status",), timeout_seconds=0.2)


def test_tags_name_the_commit_they_stand_for(repository: Path) -> None:
    head = git(repository, "rev-parse", "HEAD")
    git(repository, "tag", "light")
    git(repository, "tag", "-a", "-m", "annotated", "v1.0.0")
    git(repository, "tag", "$(touch${IFS}pwned);v2")
    git(repository, "tag", "of-a-tree", "HEAD^{tree}")
    assert read_tags(repository) == (
        GitTag("$(touch${IFS}pwned);v2", head),
        GitTag("light", head),
        GitTag("v1.0.0", head),
    )
    git(repository, "pack-refs", "--all")
    assert [tag.name for tag in read_tags(repository)] == ["$(touch${IFS}pwned);v2", "light", "v1.0.0"]
    assert not (repository / "pwned").exists()


@pytest.fixture
def trapped(repository: Path) -> Path:
    """A repository that runs a program at each place where git can be told to."""
    trap = repository / ".git" / "trap"
    trap.write_text(f'#!/bin/sh\necho "$0 $*" >> {repository}/.git/sprung\ncat\n')
    trap.chmod(0o755)
    hooks = repository / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for hook in ("post-index-change", "post-checkout", "reference-transaction", "fsmonitor-watchman"):
        (hooks / hook).symlink_to(trap)
    for key in (
        "core.fsmonitor", "core.pager", "core.sshCommand", "core.editor", "diff.external", "gpg.program",
        "filter.evil.clean", "filter.evil.smudge", "filter.a=b.clean", "alias.status",
    ):  # fmt: skip
        git(repository, "config", key, str(trap))
    git(repository, "config", "filter.evil.required", "true")
    git(repository, "config", "core.worktree", "/etc")
    (repository / ".gitattributes").write_text("*.txt filter=evil diff=evil\n*.csv filter=a=b\n")
    # Same size, other time: git has to look at the content, and so runs the filter.
    os.utime(repository / "a.txt", (1, 1))
    return repository


def test_the_traps_are_sprung_by_a_plain_git_status(trapped: Path) -> None:
    """Shows that the next test tests something."""
    subprocess.run(
        ["git", "--work-tree=.", "status"],
        cwd=trapped,
        check=False,
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )
    assert (trapped / ".git" / "sprung").exists()


def test_no_program_of_the_repository_is_started(trapped: Path) -> None:
    state = read_git_state(trapped)
    assert state.problem is None
    assert state.dirty is True
    read_tags(trapped)
    run_git(trapped, ("log", "-1", "-p", "--no-textconv"))
    assert not (trapped / ".git" / "sprung").exists()


def test_reading_leaves_the_repository_as_it_is(repository: Path) -> None:
    os.utime(repository / "a.txt", (1, 1))
    before = {path: path.stat().st_mtime_ns for path in (repository / ".git").rglob("*")}
    read_git_state(repository)
    read_tags(repository)
    assert {path: path.stat().st_mtime_ns for path in (repository / ".git").rglob("*")} == before
