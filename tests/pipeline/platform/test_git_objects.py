"""Tags, commits, trees and blobs of a repository, read by GitPython within a limit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.platform.git import GitError, Person, make_repository, write_git
from pipeline.platform.git_objects import Repository

NAME = "caf\u00e9 \udcff\n.txt"


def git(root: Path, *arguments: str) -> str:
    return write_git(root, arguments, Person("Op", "op@example.com"))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two commits: three files, one of them executable, a link; then one of them changed."""
    make_repository(tmp_path)
    for name in ("a.txt", "code/b.py", "code/deep/c.py", NAME):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(os.fsencode(name))
    (tmp_path / "code/b.py").chmod(0o755)
    (tmp_path / "code/link").symlink_to("/etc/passwd")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first\n\nand why")
    git(tmp_path, "tag", "light")
    git(tmp_path, "tag", "-a", "-m", "annotated", "v1.0.0")
    (tmp_path / "a.txt").write_text("changed\n")
    git(tmp_path, "commit", "-q", "-a", "-m", "second")
    return tmp_path


def test_a_tag_resolves_to_its_commit_and_is_listed_with_what_it_points_at(repository: Path) -> None:
    git(repository, "tag", "$(touch${IFS}pwned);v2")
    objects = Repository(repository)
    first = git(repository, "rev-parse", "HEAD^")
    assert objects.resolve_tag("v1.0.0") == objects.resolve_tag("light") == first
    for _ in ("loose", "packed"):
        tags = objects.tags()
        assert [*tags] == ["$(touch${IFS}pwned);v2", "light", "v1.0.0"]
        assert tags["light"] == first
        assert tags["v1.0.0"] == git(repository, "rev-parse", "refs/tags/v1.0.0") != first
        git(repository, "pack-refs", "--all")
    assert not (repository / "pwned").exists()


def test_entries_are_those_at_or_below_the_paths(repository: Path) -> None:
    objects = Repository(repository)
    every = objects.entries("v1.0.0")
    assert [entry.path for entry in every] == ["a.txt", NAME, "code/b.py", "code/deep/c.py", "code/link"]
    below = objects.entries("v1.0.0", ["code", "no/such", "a.txt", "code/deep"])
    assert [entry.path for entry in below] == ["a.txt", "code/b.py", "code/deep/c.py", "code/link"]
    modes = {entry.path: (entry.is_regular, entry.permissions) for entry in below}
    assert modes["code/b.py"] == (True, 0o755)
    assert modes["code/link"][0] is False
    assert objects.entry("v1.0.0", "code") is None


def test_blobs_are_the_very_bytes_and_only_those_of_plain_files(repository: Path) -> None:
    objects = Repository(repository)
    assert objects.bytes_at("v1.0.0", "a.txt") == b"a.txt"
    assert objects.bytes_at("v1.0.0", NAME) == os.fsencode(NAME)
    assert objects.bytes_at("HEAD", "a.txt") == b"changed\n"
    assert objects.bytes_at("HEAD", "code/link") is None
    assert objects.bytes_at("HEAD", "code") is None
    assert objects.bytes_at(None, "a.txt") is None
    with pytest.raises(GitError, match="no blob"):
        objects.blob(git(repository, "rev-parse", "HEAD"))


def test_history_is_newest_first_and_counts_from_a_commit(repository: Path) -> None:
    objects = Repository(repository)
    assert [(each.author, each.subject) for each in objects.log(["."])] == [("Op", "second"), ("Op", "first")]
    assert objects.log(["code"], since="v1.0.0") == []
    (second,) = objects.log(["a.txt"], since="v1.0.0")
    assert objects.commit(second.oid) == second
    assert second.told == f"{second.oid[:12]} Op: second"


def test_changes_are_told_by_bytes_whatever_the_index_says(repository: Path) -> None:
    git(repository, "update-index", "--assume-unchanged", "code/b.py")
    (repository / "code/b.py").write_text("other\n")
    (repository / "code/deep/c.py").unlink()
    (repository / "code/link").unlink()
    (repository / "code/link").write_text("a file now\n")
    (repository / "code/new.py").write_text("new\n")
    (repository / "code/new.pyc").write_text("made by a run\n")
    found = Repository(repository).changes("v1.0.0", ["code"])
    assert {each.path: each.kind for each in found} == {
        "code/b.py": "changed",
        "code/deep/c.py": "missing",
        "code/link": "odd",
        "code/new.py": "added",
    }


def test_what_cannot_be_read_is_an_error_and_never_nothing(repository: Path) -> None:
    objects = Repository(repository)
    blob = objects.entry("HEAD", "a.txt")
    assert blob is not None
    (repository / ".git/objects" / blob.oid[:2] / blob.oid[2:]).unlink()
    with pytest.raises(GitError, match="cannot be read"):
        objects.blob(blob.oid)
    with pytest.raises(GitError):
        objects.entries("no-such-commit")
    (repository / ".git/HEAD").unlink()
    with pytest.raises(GitError):
        objects.tags()


@pytest.mark.parametrize("key", ["objectformat", "refstorage"])
def test_a_format_that_gitpython_does_not_read_is_named(repository: Path, key: str) -> None:
    with (repository / ".git/config").open("a") as file:
        file.write(f"[core]\n\trepositoryformatversion = 1\n[extensions]\n\t{key} = another\n")
    with pytest.raises(GitError, match="another"):
        Repository(repository).tags()


def test_a_pipe_in_place_of_a_file_ends_at_the_limit(repository: Path) -> None:
    (repository / ".git/packed-refs").unlink(missing_ok=True)
    os.mkfifo(repository / ".git/packed-refs")
    with pytest.raises(GitError, match="no answer within"):
        Repository(repository, limit_seconds=0.2).tags()


def test_an_inherited_git_dir_does_not_lead_elsewhere(
    repository: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path_factory.mktemp("other")
    make_repository(other)
    for name in ("GIT_DIR", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY"):
        monkeypatch.setenv(name, str(other / ".git"))
    assert [*Repository(repository).tags()] == ["light", "v1.0.0"]
    assert Repository(repository).bytes_at("v1.0.0", "a.txt") == b"a.txt"
    assert os.environ["GIT_DIR"] == str(other / ".git")


def test_gitpython_is_imported_only_by_who_reads_objects(repository: Path) -> None:
    ask = (
        "import sys; from pathlib import Path; from pipeline.platform import git, git_objects;"
        "print(git.read_git_state(Path('.')).branch, git_objects.Repository(Path('.')).resolve_tag('light'));"
        "print('git' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", ask], cwd=repository, capture_output=True, text=True)
    assert done.stdout.splitlines()[1:] == ["False"], done.stderr
