"""What a remote says of the last-good tag: an answer for each way, and only another object is a moved tag."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.actions.remote_tag import RemoteTag, compare_with_remote
from tests.git_commands import git
from tests.runbook.workspaces import TAG, make_workspace


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_workspace(tmp_path / "w").root


def remote_of(root: Path, name: str = "origin") -> Path:
    """A remote beside the workspace that holds all that it holds."""
    there = root.parent / f"{name}.git"
    git(root, "clone", "--quiet", "--bare", str(root), str(there))
    git(root, "remote", "add", name, str(there))
    return there


def test_without_a_remote_or_a_repository_nobody_is_asked(root: Path, tmp_path: Path) -> None:
    assert compare_with_remote(root, TAG, 30) == RemoteTag("no remote was asked: there is none")
    (tmp_path / "bare").mkdir()
    assert compare_with_remote(tmp_path / "bare", TAG, 30).says.startswith("no remote was asked: ")


def test_the_same_tag_is_the_same(root: Path) -> None:
    remote_of(root)
    assert compare_with_remote(root, TAG, 30) == RemoteTag(f"origin has the same {TAG}")


def test_a_tag_that_the_remote_lacks_is_told(root: Path) -> None:
    git(remote_of(root), "tag", "--delete", TAG)
    assert compare_with_remote(root, TAG, 30) == RemoteTag(f"origin has no {TAG}")


def test_a_tag_that_is_missing_here_is_fetched(root: Path) -> None:
    remote_of(root)
    was = git(root, "rev-parse", TAG)
    git(root, "tag", "--delete", TAG)
    assert compare_with_remote(root, TAG, 30) == RemoteTag(f"{TAG} was fetched from origin")
    assert git(root, "rev-parse", TAG) == was


def test_a_tag_that_could_not_be_fetched_did_not_come(root: Path) -> None:
    remote_of(root)
    git(root, "tag", "--delete", TAG)
    # In the way of the reference: a folder of the same name.
    (root / ".git/refs/tags" / TAG / "below").mkdir(parents=True)
    (root / ".git/refs/tags" / TAG / "below/it").write_text(git(root, "rev-parse", "HEAD") + "\n")
    assert compare_with_remote(root, TAG, 30) == RemoteTag(f"{TAG} did not come")


def test_another_object_under_the_same_name_is_a_moved_tag(root: Path) -> None:
    there = remote_of(root)
    git(root, "commit", "--quiet", "--allow-empty", "-m", "later")
    git(root, "push", "--quiet", str(there), "HEAD:refs/heads/later")
    git(there, "tag", "--force", TAG, "later")
    own, theirs = git(root, "rev-parse", TAG), git(there, "rev-parse", TAG)
    assert compare_with_remote(root, TAG, 30) == RemoteTag(
        f"{TAG} is {own[:12]} here and {theirs[:12]} at origin: the tag moved.", moved=True
    )


def test_origin_is_asked_before_others_and_one_that_is_gone_does_not_answer(root: Path) -> None:
    remote_of(root, "backup")
    assert compare_with_remote(root, TAG, 30).says == f"backup has the same {TAG}"
    there = remote_of(root)
    assert compare_with_remote(root, TAG, 30).says == f"origin has the same {TAG}"
    there.rename(there.with_name("elsewhere"))
    assert compare_with_remote(root, TAG, 30) == RemoteTag(
        "origin did not answer within 30 s; the tag here is used"
    )
