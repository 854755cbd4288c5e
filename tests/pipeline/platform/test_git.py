"""Reading a git repository that may be hostile."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from pipeline.platform.git import (
    NEEDS_GIT,
    GitError,
    GitState,
    Person,
    make_repository,
    read_git_state,
    resolve_tag,
    run_git,
    write_git,
)
from pipeline.platform.git_objects import Repository


def git(root: Path, *arguments: str) -> str:
    return write_git(root, arguments, Person("Op", "op@example.com"))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    make_repository(tmp_path)
    (tmp_path / "a.txt").write_text("one\n")
    git(tmp_path, "add", "a.txt")
    git(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


def test_head_and_branch_of_a_clean_repository(repository: Path) -> None:
    head = git(repository, "rev-parse", "HEAD")
    assert read_git_state(repository) == GitState(head=head, branch="main")
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
    make_repository(tmp_path)
    assert read_git_state(tmp_path) == GitState(head=None, branch="main")


def test_a_directory_without_a_repository_says_what_it_cannot_offer(tmp_path: Path) -> None:
    state = read_git_state(tmp_path)
    assert state.problem == "not a git repository"
    assert state.cannot_offer == NEEDS_GIT
    assert state.to_dict() is None
    with pytest.raises(GitError):
        Repository(tmp_path).tags()


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
    make_repository(other)
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    git(repository, "tag", "v1")
    assert read_git_state(repository).head is not None
    assert [*Repository(repository).tags()] == ["v1"]
    assert os.environ["GIT_DIR"] == str(other / ".git")


def test_a_missing_git_is_a_problem_and_not_a_crash(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(repository))
    assert read_git_state(repository).problem == "git is not installed"


def test_a_git_that_hangs_is_a_problem(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = repository / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\nexec tail -f /dev/null\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    with pytest.raises(GitError, match="no end within"):
        run_git(repository, ("status",), limit_seconds=0.2)


def test_a_git_that_cannot_be_told_what_not_to_run_is_not_asked(
    repository: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before 2.31 settings in the environment had no effect."""
    fake = tmp_path_factory.mktemp("bin") / "git"
    fake.write_text(f'#!/bin/sh\nunset GIT_CONFIG_COUNT\nexec {shutil.which("git")} "$@"\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    git(repository, "config", "distill.heard", "yes")
    assert "older than 2.31" in str(read_git_state(repository).problem)


@pytest.mark.parametrize("name", ["v9", "$(touch pwned)", "--help", "a b;c", "v1^{/x}", ""])
def test_a_tag_name_is_never_more_than_a_name(repository: Path, name: str) -> None:
    git(repository, "tag", "v1")
    assert resolve_tag(repository, name) is None
    assert not (repository / "pwned").exists()


@pytest.mark.parametrize("report", ["reports/distillation/a.md", "exports/README.md"])
def test_reports_that_commands_write_anew_make_no_tree_dirty(repository: Path, report: str) -> None:
    (repository / report).parent.mkdir(parents=True)
    (repository / report).write_text("new\n")
    assert read_git_state(repository).dirty is False
    (repository / report).with_name("other.py").write_text("new\n")
    assert read_git_state(repository).dirty is not report.startswith("reports")


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_a_change_that_git_was_told_to_hide_makes_it_dirty(repository: Path, flag: str) -> None:
    git(repository, "update-index", flag, "a.txt")
    (repository / "a.txt").write_text("hidden\n")
    state = read_git_state(repository)
    assert (state.changes, state.hidden, state.dirty) == ((), ("a.txt",), True)


def test_a_change_of_the_same_size_and_time_is_seen_whatever_the_repository_asks(repository: Path) -> None:
    git(repository, "config", "core.checkStat", "minimal")
    os.utime(repository / "a.txt", (1, 1))
    git(repository, "update-index", "--refresh")
    (repository / "other").write_text("two\n")
    os.utime(repository / "other", (1, 1))
    (repository / "other").rename(repository / "a.txt")
    plain = subprocess.run(["git", "status", "--porcelain"], cwd=repository, capture_output=True, check=True)
    assert plain.stdout == b""
    assert read_git_state(repository).changes == ("a.txt",)


def test_a_merge_under_way_makes_it_dirty_also_in_a_linked_working_tree(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    linked = tmp_path_factory.mktemp("trees") / "linked"
    git(repository, "worktree", "add", "-q", str(linked))
    assert read_git_state(linked).dirty is False
    folder = Path(git(linked, "rev-parse", "--absolute-git-dir"))
    (folder / "MERGE_HEAD").write_text(git(linked, "rev-parse", "HEAD"))
    assert read_git_state(linked).told == ("under way: MERGE_HEAD",)
    assert read_git_state(repository).dirty is False


def test_a_branch_named_with_other_line_ends_makes_no_tree_dirty(repository: Path) -> None:
    name = "a\u2028b\x85c\u2029d"
    git(repository, "checkout", "-q", "-b", name)
    state = read_git_state(repository)
    assert (state.branch, state.dirty) == (name, False)


def test_a_damaged_repository_is_not_known_rather_than_clean(repository: Path) -> None:
    (repository / ".git/HEAD").write_text("garbage")
    state = read_git_state(repository)
    assert state.dirty is None
    assert state.problem


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
    run_git(trapped, ("log", "-1", "-p", "--no-textconv"))
    objects = Repository(trapped)
    assert objects.tags() == {}
    head = objects.resolve("HEAD")
    assert head is not None
    assert objects.bytes_at(head, "a.txt") == b"one\n"
    assert [each.path for each in objects.changes(head, ["a.txt"])] == []
    assert objects.log(["a.txt"])[0].subject == "first"
    assert not (trapped / ".git" / "sprung").exists()


def test_a_submodules_own_programs_are_not_started_either(repository: Path) -> None:
    """Its settings are none of those that are silenced: so nobody looks into its tree."""
    inner = repository / "inner"
    inner.mkdir()
    make_repository(inner)
    (inner / "b.txt").write_text("one\n")
    (inner / ".gitattributes").write_text("*.txt filter=evil\n")
    git(inner, "add", ".")
    git(inner, "commit", "-q", "-m", "inner")
    git(repository, "add", "inner")
    git(repository, "commit", "-q", "-m", "a submodule")
    sprung = repository / ".git/sprung"
    git(inner, "config", "filter.evil.clean", f"touch {sprung}; cat")
    os.utime(inner / "b.txt", (1, 1))
    assert read_git_state(repository).dirty is False
    assert not sprung.exists()
    subprocess.run(["git", "status"], cwd=repository, capture_output=True, check=True)
    assert sprung.exists(), "the trap was none"


def test_reading_leaves_the_repository_as_it_is(repository: Path) -> None:
    os.utime(repository / "a.txt", (1, 1))
    before = {path: path.stat().st_mtime_ns for path in (repository / ".git").rglob("*")}
    read_git_state(repository)
    objects = Repository(repository)
    objects.tags()
    objects.changes(objects.resolve("HEAD") or "", ["a.txt"])
    assert {path: path.stat().st_mtime_ns for path in (repository / ".git").rglob("*")} == before
