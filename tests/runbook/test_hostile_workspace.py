"""A workspace from somebody else names programs wherever git allows it. None of them is started."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from runbook.actions.bisect import find_commit
from runbook.actions.nuclear import plan_nuclear
from runbook.actions.remote_tag import compare_with_remote
from runbook.actions.restore import plan_restore
from runbook.change.refusals import RefusedError
from runbook.probes.workspace import Workspace
from tests.git_commands import git
from tests.runbook.carrying_out import carried_out
from tests.runbook.workspaces import direct, make_workspace, planning

SCHEMA = "pipeline/schemas/sft.py"
TAG = "v1;touch${IFS}pwned;$(touch${IFS}pwned)`id`"


@pytest.fixture
def hostile(tmp_path: Path) -> tuple[Workspace, Path]:
    """The workspace, and the file that each of its programs would write."""
    workspace = make_workspace(tmp_path / "w", tag=TAG)
    return workspace, _arm(workspace, tmp_path)


def _arm(workspace: Workspace, tmp_path: Path) -> Path:
    root, proof = workspace.root, tmp_path / "executed"
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\necho "$0 $*" >> {proof}\ncat\n')
    program.chmod(0o755)
    for hook in (
        "post-checkout",
        "reference-transaction",
        "post-index-change",
        "pre-auto-gc",
        "fsmonitor-watchman",
    ):
        (root / ".git/hooks").mkdir(exist_ok=True)
        (root / ".git/hooks" / hook).write_text(program.read_text())
        (root / ".git/hooks" / hook).chmod(0o755)
    for key in (
        "core.fsmonitor",
        "core.pager",
        "core.editor",
        "core.sshCommand",
        "core.gitProxy",
        "core.askPass",
        "diff.external",
        "diff.evil.textconv",
        "filter.evil.clean",
        "filter.evil.smudge",
        "filter.evil.process",
        "credential.helper",
        "remote.origin.uploadpack",
        "gpg.program",
        "sequence.editor",
    ):
        git(root, "config", key, str(program))
    git(root, "config", "core.hooksPath", str(root / ".git/hooks"))
    git(root, "config", "remote.origin.url", f"ext::{program} %S")
    git(root, "config", "filter.evil.required", "true")
    (root / ".git/info").mkdir(exist_ok=True)
    (root / ".git/info/attributes").write_text("*.py filter=evil diff=evil\n")
    proof.unlink(missing_ok=True)
    return proof


def test_restoring_runs_no_hook_filter_monitor_or_tag(hostile: tuple[Workspace, Path]) -> None:
    workspace, proof = hostile
    good = (workspace.root / SCHEMA).read_bytes()
    (workspace.root / SCHEMA).write_text("loosened\n")
    session = direct(workspace)
    draft = plan_restore(session.planning(), [SCHEMA])
    assert draft.plan.tag == TAG
    carried_out(session, draft)
    assert (workspace.root / SCHEMA).read_bytes() == good
    assert not proof.exists()
    assert not list(workspace.root.rglob("pwned"))


def test_looking_runs_nothing_either(hostile: tuple[Workspace, Path]) -> None:
    workspace, proof = hostile
    (workspace.root / SCHEMA).write_text("loosened\n")
    git_ = workspace.git
    assert [change.path for change in git_.changes("HEAD", ["pipeline"])] == [SCHEMA]
    assert git_.log([SCHEMA])[0].subject == "all of it"
    assert TAG in git_.tags()
    assert not proof.exists()


def test_asking_the_remote_runs_none_of_its_programs(hostile: tuple[Workspace, Path]) -> None:
    workspace, proof = hostile
    remote = compare_with_remote(workspace.root, TAG, 10.0)
    assert "did not answer" in remote.says
    assert not remote.moved
    assert not proof.exists()


def test_a_bisection_names_the_commit_and_runs_none_of_its_programs(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w", tag=TAG)
    good = workspace.git.resolve("HEAD")
    assert good is not None
    for subject, text in (("harmless", None), ("break it", "import sys; sys.exit(1)\n"), ("later", None)):
        if text is not None:
            (workspace.root / "pipeline/__main__.py").write_text(text)
        (workspace.root / "note").write_text(subject)
        git(workspace.root, "add", ".")
        git(workspace.root, "commit", "--quiet", "-m", subject)
    proof = _arm(workspace, tmp_path)
    found = find_commit(workspace, good=good, check=["determinism", "write", "data/x", "y"], seconds=60.0)
    assert found.commit is not None, found
    assert found.commit.subject == "break it"
    assert not proof.exists()


def test_a_moved_tag_stops_the_nuclear_restore(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    git(tmp_path, "clone", "--quiet", "--bare", str(workspace.root), "remote.git")
    git(workspace.root, "remote", "add", "origin", str(tmp_path / "remote.git"))
    assert "the same" in compare_with_remote(workspace.root, "distillation-v1.0.0", 10.0).says
    (workspace.root / SCHEMA).write_text("loosened\n")
    git(workspace.root, "commit", "--quiet", "-am", "loosen")
    git(workspace.root, "tag", "--force", "distillation-v1.0.0")
    with pytest.raises(RefusedError, match="moved"):
        plan_nuclear(planning(workspace))


def test_a_tag_that_is_missing_here_is_fetched(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    git(tmp_path, "clone", "--quiet", "--bare", str(workspace.root), "remote.git")
    git(workspace.root, "remote", "add", "origin", str(tmp_path / "remote.git"))
    git(workspace.root, "tag", "--delete", "distillation-v1.0.0")
    assert "was fetched" in compare_with_remote(workspace.root, "distillation-v1.0.0", 10.0).says
    assert workspace.git.resolve_tag("distillation-v1.0.0") == workspace.git.resolve("HEAD")


def test_links_submodules_and_pointers_in_the_tag_are_refused(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    root = workspace.root
    (root / "link").symlink_to("/etc/passwd")
    (root / "pointer").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    git(root, "add", "link", "pointer")
    head = git(root, "rev-parse", "HEAD")
    git(root, "update-index", "--add", "--cacheinfo", f"160000,{head},module")
    git(root, "commit", "--quiet", "-m", "odd things")
    git(root, "tag", "odd")
    (root / "pointer").write_text("content\n")
    for path in ("link", "module", "pointer"):
        with pytest.raises(RefusedError):
            plan_restore(planning(workspace), [path], tag="odd")
    assert stat.S_ISLNK((root / "link").lstat().st_mode)


def test_a_link_where_the_file_should_be_is_not_written_through(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    theirs = tmp_path / "theirs"
    theirs.write_text("theirs\n")
    (workspace.root / SCHEMA).unlink()
    (workspace.root / SCHEMA).symlink_to(theirs)
    with pytest.raises(RefusedError, match="a link"):
        plan_restore(planning(workspace), [SCHEMA])
    assert theirs.read_text() == "theirs\n"


def test_a_folder_that_became_a_link_after_the_plan_is_not_written_through(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    (workspace.root / SCHEMA).write_text("loosened\n")
    session = direct(workspace)
    draft = plan_restore(session.planning(), [SCHEMA])
    elsewhere = tmp_path / "elsewhere"
    (workspace.root / "pipeline/schemas").rename(elsewhere)
    (workspace.root / "pipeline/schemas").symlink_to(elsewhere)
    with pytest.raises(RefusedError):
        carried_out(session, draft)
    assert (elsewhere / "sft.py").read_text() == "loosened\n"
