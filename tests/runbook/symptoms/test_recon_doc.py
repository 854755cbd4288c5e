"""S1.P0.recon-doc: which loss is which. Its drill repairs it and takes the repair back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.runbook.symptoms.walked import RECON, cause, diagnosed, filled, verdict
from tests.runbook.test_commands import distill
from tests.runbook.workspaces import TAG, git

ID = "S1.P0.recon-doc"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return filled(tmp_path / "w").root


@pytest.mark.parametrize("left", [None, b"", b" \n\t\n"])
def test_a_doc_that_is_gone_or_holds_no_word_was_deleted(root: Path, left: bytes | None) -> None:
    assert verdict(root, ID) == "clear"
    (root / RECON).unlink()
    if left is not None:
        (root / RECON).write_bytes(left)
    assert cause(root, ID) == ("deleted", "certain")


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
