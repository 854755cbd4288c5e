"""Bisecting accuses nobody where the newest commit is good, or the last good one is bad."""

from __future__ import annotations

from pathlib import Path

from runbook.actions.bisect import Bisection, find_commit
from runbook.probes.workspace import Workspace
from tests.runbook.workspaces import git, make_workspace

ENGINE = "pipeline/__main__.py"
CHECK = ["determinism", "write", "data/x", "y"]
FAILS = "import sys; sys.exit(1)\n"


def commit(workspace: Workspace, subject: str, path: str, text: str) -> str:
    (workspace.root / path).write_text(text)
    git(workspace.root, "add", ".")
    git(workspace.root, "commit", "--quiet", "-m", subject)
    return git(workspace.root, "rev-parse", "HEAD")


def found(workspace: Workspace, good: str) -> Bisection:
    return find_commit(workspace, good=good, check=CHECK, seconds=60.0, under=("pipeline",))


def test_a_fault_that_is_not_committed_accuses_no_commit(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    good = git(workspace.root, "rev-parse", "HEAD")
    head = commit(workspace, "innocent", "pipeline/note.py", "\n")
    (workspace.root / ENGINE).write_text(FAILS)
    bisection = found(workspace, good)
    assert bisection.commit is None
    assert bisection.trouble == f"{head[:12]} itself does not end with 1"


def test_a_last_good_commit_that_is_bad_itself_accuses_no_commit(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    good = commit(workspace, "broken long ago", ENGINE, FAILS)
    commit(workspace, "innocent", "pipeline/note.py", "\n")
    bisection = found(workspace, good)
    assert bisection.commit is None
    assert "ends with 1 as well" in bisection.trouble


def test_commits_beside_the_engine_are_not_tried(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    good = git(workspace.root, "rev-parse", "HEAD")
    for number in range(4):
        commit(workspace, f"note {number}", "note", str(number))
    bad = commit(workspace, "break it", ENGINE, FAILS)
    commit(workspace, "later", "note", "later")
    bisection = found(workspace, good)
    assert bisection.commit is not None
    assert (bisection.commit.oid, bisection.commit.subject) == (bad, "break it")
    assert bisection.log.count("git bisect good") + bisection.log.count("git bisect bad") <= 2
