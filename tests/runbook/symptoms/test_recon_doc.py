"""S1.P0.recon-doc: which loss is which. Its drill repairs it and takes the repair back."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from runbook.actions.restore import plan_restore
from runbook.change.plan import WriteFile
from runbook.probes.workspace import Workspace
from runbook.symptoms.s1_p0_recon_doc import DEFINITION
from tests.git_commands import git
from tests.runbook.command_line import distill
from tests.runbook.symptoms.walked import RECON, cause, diagnosed, verdict
from tests.runbook.workspaces import TAG, planning

ID = "S1.P0.recon-doc"


@pytest.mark.parametrize("left", [None, b"", b" \n\t\n"])
def test_a_doc_that_is_gone_or_holds_no_word_was_deleted(root: Path, left: bytes | None) -> None:
    assert verdict(root, ID) == "clear"
    (root / RECON).unlink()
    if left is not None:
        (root / RECON).write_bytes(left)
    assert cause(root, ID) == ("deleted", "certain")
    (offer,) = diagnosed(root, ID)["offers"]
    assert (offer["id"], offer["title"]) == ("restore", "Restore it from the last-good tag")


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


def test_the_line_to_type_leaves_no_empty_doc_where_git_fails(root: Path) -> None:
    """Of the page and of the plan's preview alike."""
    (root / RECON).write_text("what is left\n")
    page = next(each for each in DEFINITION.by_hand if "cat-file" in each.command)
    typed = subprocess.run(["sh", "-c", page.command_for("no-such-tag")], cwd=root, check=False)
    assert typed.returncode != 0
    assert (root / RECON).read_text() == "what is left\n"
    assert subprocess.run(["sh", "-c", page.command_for(TAG)], cwd=root, check=True).returncode == 0
    assert (root / RECON).read_text().strip() == git(root, "show", f"{TAG}:{RECON}")
    (root / RECON).write_text("")
    [step] = plan_restore(planning(Workspace(root)), [RECON]).plan.steps
    assert isinstance(step, WriteFile)
    subprocess.run(["sh", "-c", step.by_hand], cwd=root, check=True)
    assert (root / RECON).read_text().strip() == git(root, "show", f"{TAG}:{RECON}")
    assert not [*(root / RECON).parent.glob("*.new")]
