"""S1.P0.recon-doc, planted, found, restored and taken back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.runbook.symptoms.walked import RECON, cause, diagnosed, filled, raised, repaired, taken_back
from tests.runbook.test_commands import distill
from tests.runbook.workspaces import TAG, git, tree

ID = "S1.P0.recon-doc"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return filled(tmp_path / "w").root


@pytest.mark.parametrize("left", [None, b"", b" \n\t\n"])
def test_a_lost_doc_is_found_explained_restored_and_taken_back(root: Path, left: bytes | None) -> None:
    assert raised(root) == []
    good = (root / RECON).read_bytes()
    (root / RECON).unlink()
    if left is not None:
        (root / RECON).write_bytes(left)
    broken = tree(root)
    assert raised(root) == [ID]
    assert cause(root, ID) == ("deleted", "certain")
    plan = repaired(root, ID)
    assert (root / RECON).read_bytes() == good
    assert raised(root) == []
    taken_back(root, plan, broken)


def test_a_doc_that_only_a_later_commit_held_cannot_come_from_the_tag(root: Path) -> None:
    (root / RECON).unlink()
    git(root, "commit", "--quiet", "--all", "-m", "lose it")
    git(root, "tag", "--force", TAG)
    assert cause(root, ID) == ("tag_lacks_it", "certain")
    assert diagnosed(root, ID)["offers"] == []
    assert distill(root, "runbook", "plan", ID).returncode == 2


def test_a_doc_that_no_commit_held_was_never_committed(root: Path) -> None:
    shutil.rmtree(root / ".git")
    (root / RECON).unlink()
    git(root, "init", "--quiet")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "-m", "without it")
    git(root, "tag", TAG)
    assert cause(root, ID) == ("never_committed", "certain")
    assert diagnosed(root, ID)["offers"] == []


def test_without_a_repository_the_cause_is_honestly_unknown(root: Path) -> None:
    shutil.rmtree(root / ".git")
    (root / RECON).unlink()
    assert cause(root, ID) == ("unknown", "unknown")
