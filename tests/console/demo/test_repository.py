"""Git for the demo works on a bare machine and under a hostile configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.demo.history import BRANCH, Repository
from pipeline.contracts.faults import StorageError
from tests.git_commands import git


def _commit_and_tag(root: Path) -> str:
    repository = Repository(root)
    repository.create()
    (root / "file").write_text("text\n")
    commit = repository.commit(["file", "not-there"], "a subject", "a body")
    repository.tag("v1", "a message")
    return commit


def test_a_machine_without_any_git_configuration_gets_a_tagged_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    root = tmp_path / "workspace"
    root.mkdir()
    commit = _commit_and_tag(root)
    assert git(root, "rev-parse", "v1^{commit}") == commit
    assert git(root, "symbolic-ref", "--short", "HEAD") == BRANCH
    assert git(root, "status", "--porcelain") == ""
    assert git(root, "log", "-1", "--format=%an <%ae>") == "Distill demo <demo@distill.invalid>"


def test_a_hostile_global_configuration_and_environment_are_not_obeyed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, root = tmp_path / "home", tmp_path / "workspace"
    hooks, template = home / "hooks", home / "template/hooks"
    for directory in (root, hooks, template):
        directory.mkdir(parents=True)
    for hook in ("pre-commit", "commit-msg", "post-commit", "reference-transaction"):
        for place in (hooks, template):
            (place / hook).write_text(f"#!/bin/sh\ntouch {tmp_path}/hook-ran\nexit 1\n")
            (place / hook).chmod(0o755)
    (home / ".gitconfig").write_text(
        f"[core]\n\thooksPath = {hooks}\n\tfsmonitor = touch {tmp_path}/monitor-ran\n\tautocrlf = true\n"
        f"[init]\n\ttemplateDir = {home}/template\n\tdefaultBranch = elsewhere\n"
        "[commit]\n\tgpgSign = true\n[tag]\n\tgpgSign = true\n[gpg]\n\tprogram = false\n"
        "[user]\n\tname = Mallory\n"
    )
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other"))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Mallory")
    commit = _commit_and_tag(root)
    monkeypatch.delenv("GIT_DIR")
    assert git(root, "rev-parse", f"refs/heads/{BRANCH}") == commit
    assert git(root, "log", "-1", "--format=%an") == "Distill demo"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "workspace"]


def test_a_repository_that_is_there_already_keeps_its_history(tmp_path: Path) -> None:
    first = _commit_and_tag(tmp_path)
    Repository(tmp_path).create()
    second = Repository(tmp_path).commit([], "another", "one")
    assert git(tmp_path, "rev-list", "HEAD").splitlines() == [second, first]


def test_what_git_says_reaches_the_operator(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    repository.create()
    repository.commit([], "first", "body")
    with pytest.raises(StorageError) as failed:
        repository.tag("not a name", "message")
    assert "not a name" in failed.value.fault.what_happened
