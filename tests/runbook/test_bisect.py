"""Bisecting accuses nobody where the newest commit is good, or the last good one is bad."""

from __future__ import annotations

import re
from pathlib import Path

from runbook.actions.bisect import Bisection, find_commit
from runbook.probes.workspace import Workspace
from tests.git_commands import git
from tests.runbook.workspaces import make_workspace

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


_NEEDS = """import pathlib, sys
root = pathlib.Path(sys.argv[sys.argv.index("-C") + 1])
needed = {needed!r}
sys.exit({code} if all((root / each).is_file() for each in needed) else 3)
"""
_SETTINGS = """[engine]
source = "workspace"

[workspace]
source_roots = ["../../elsewhere/logs", "more"]

[[stream]]
path = ["data/other/*.jsonl", "../../elsewhere/logs/*.jsonl"]

[[evaluation]]
path = "tests/held-out.jsonl"

[export]
tokenizer = "tokenizer.json"
"""
_UNTRACKED = ("data/other/runs.jsonl", "tests/held-out.jsonl", "tokenizer.json")
_OUTSIDE = ("../../elsewhere/logs/a.jsonl", "more/b.jsonl")


def test_all_that_the_settings_name_is_there_at_each_commit(tmp_path: Path) -> None:
    """Evaluation sets and sources beside data/_kb: without them no commit can be tried."""
    workspace = make_workspace(tmp_path / "team" / "here" / "w")
    root = workspace.root
    for name in _OUTSIDE[:1]:
        (root / name).parent.mkdir(parents=True)
    (tmp_path / "third").mkdir()
    (root / "more").symlink_to(tmp_path / "third")
    (root / ".gitignore").write_text("/more\n" + "".join(f"/{name}\n" for name in _UNTRACKED))
    for name in (*_UNTRACKED, *_OUTSIDE):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("{}\n")
    (root / "distill.toml").write_text(_SETTINGS)
    needed = (*_UNTRACKED, *_OUTSIDE)
    good = commit(workspace, "as it was", ENGINE, _NEEDS.format(needed=needed, code=0))
    bad = commit(workspace, "break it", ENGINE, _NEEDS.format(needed=needed, code=1))
    commit(workspace, "later", "pipeline/note.py", "\n")
    bisection = found(workspace, good)
    assert bisection.commit is not None, bisection.trouble
    assert bisection.commit.oid == bad


def test_a_source_that_is_a_link_out_of_the_workspace_is_not_copied(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    root = workspace.root
    (tmp_path / "secret.jsonl").write_text("{}\n")
    (root / "distill.toml").write_text(
        '[engine]\nsource = "workspace"\n[[evaluation]]\npath = "sets/*.jsonl"\n'
    )
    (root / ".gitignore").write_text("/sets\n")
    (root / "sets").mkdir()
    (root / "sets" / "a.jsonl").symlink_to(tmp_path / "secret.jsonl")
    good = commit(workspace, "as it was", ENGINE, _NEEDS.format(needed=("sets/a.jsonl",), code=0))
    commit(workspace, "break it", ENGINE, _NEEDS.format(needed=("sets/a.jsonl",), code=1))
    assert found(workspace, good).commit is None


def test_which_commit_is_tried_is_told_and_no_more_than_there_are(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    good = git(workspace.root, "rev-parse", "HEAD")
    for number in range(6):
        commit(workspace, f"innocent {number}", "pipeline/note.py", f"# {number}\n")
    commit(workspace, "break it", ENGINE, f"import time\ntime.sleep(0.5)\n{FAILS}")
    told: list[str] = []
    workspace.tell = told.append
    assert found(workspace, good).commit is not None
    assert told
    assert all(re.fullmatch(r"bisect: commit \d of \d", words) for words in told)
    numbers = [tuple(int(each) for each in re.findall(r"\d", words)) for words in told]
    assert all(1 <= at <= many for at, many in numbers)
    assert [at for at, _ in numbers] == sorted({at for at, _ in numbers})
