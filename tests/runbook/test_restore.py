from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pipeline.platform.git import GitError
from runbook.actions.quarantine import plan_quarantine
from runbook.actions.restore import plan_restore
from runbook.change.refusals import PlanVoidError, RefusedError, why_failed
from tests.git_commands import git
from tests.runbook.carrying_out import carried_out, taken_back
from tests.runbook.command_line import CONSENT, distill, planned
from tests.runbook.workspaces import SFT, direct, make_workspace, planning, tree

SCHEMA = "pipeline/schemas/sft.py"


def test_a_changed_file_gets_the_bytes_of_the_tags_blob_and_keeps_its_own_mode(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    good = (workspace.root / SCHEMA).read_bytes()
    (workspace.root / SCHEMA).write_text("ALLOWED = ('rejected',)\n")
    (workspace.root / SCHEMA).chmod(0o640)
    before = tree(workspace.root)
    session = direct(workspace)
    carried_out(session, plan_restore(session.planning(), [SCHEMA]))
    assert (workspace.root / SCHEMA).read_bytes() == good
    assert (workspace.root / SCHEMA).stat().st_mode & 0o777 == 0o640
    taken_back(session)
    assert tree(workspace.root) == before


def test_a_missing_folder_comes_back_and_undo_takes_it_away_again(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    (workspace.root / SCHEMA).unlink()
    (workspace.root / SCHEMA).parent.rmdir()
    before = tree(workspace.root)
    session = direct(workspace)
    carried_out(session, plan_restore(session.planning(), ["pipeline/schemas"]))
    assert (workspace.root / SCHEMA).exists()
    taken_back(session)
    assert tree(workspace.root) == before
    assert not (workspace.root / SCHEMA).parent.exists()


def test_an_executable_file_comes_back_executable(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    script = workspace.root / "run.sh"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    git(workspace.root, "add", "run.sh")
    git(workspace.root, "commit", "--quiet", "-m", "a script")
    git(workspace.root, "tag", "--force", "distillation-v1.0.0")
    script.chmod(0o600)
    session = direct(workspace)
    carried_out(session, plan_restore(session.planning(), ["run.sh"]))
    assert script.stat().st_mode & 0o777 == 0o700


def test_a_file_that_is_as_in_the_tag_is_nothing_to_restore(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    with pytest.raises(RefusedError, match="already"):
        plan_restore(planning(workspace), [SCHEMA])


@pytest.mark.parametrize("path", ["../w/distill.toml", "/etc/passwd", ".git/config", "no/such", "pipeline/*"])
def test_paths_outside_or_not_in_the_tag_are_refused(tmp_path: Path, path: str) -> None:
    workspace = make_workspace(tmp_path / "w")
    with pytest.raises(RefusedError):
        plan_restore(planning(workspace), [path])


def test_without_a_repository_or_a_tag_the_refusal_says_so(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    with pytest.raises(RefusedError, match="no tag"):
        plan_restore(planning(workspace), [SCHEMA], tag="distillation-v9")
    (workspace.root / ".git").rename(tmp_path / "moved")
    with pytest.raises(RefusedError, match="not a git repository"):
        plan_restore(planning(workspace), [SCHEMA])


def test_a_tag_that_moves_after_the_plan_changes_nothing_of_it(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    good = (workspace.root / SCHEMA).read_bytes()
    (workspace.root / SCHEMA).write_text("loosened\n")
    session = direct(workspace)
    draft = plan_restore(session.planning(), [SCHEMA])
    git(workspace.root, "commit", "--quiet", "-am", "loosen")
    git(workspace.root, "tag", "--force", "distillation-v1.0.0")
    carried_out(session, draft)
    assert (workspace.root / SCHEMA).read_bytes() == good


def test_a_plan_is_void_when_the_file_changes_between_preview_and_consent(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    (workspace.root / SCHEMA).write_text("loosened\n")
    session = direct(workspace)
    draft = plan_restore(session.planning(), [SCHEMA])
    (workspace.root / SCHEMA).write_text("somebody else was here\n")
    with pytest.raises(PlanVoidError, match="has changed since"):
        carried_out(session, draft)
    assert (workspace.root / SCHEMA).read_text() == "somebody else was here\n"


def test_a_change_of_mode_alone_voids_a_plan_too(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    (workspace.root / SCHEMA).write_text("loosened\n")
    session = direct(workspace)
    draft = plan_restore(session.planning(), [SCHEMA])
    (workspace.root / SCHEMA).chmod(0o600)
    with pytest.raises(PlanVoidError, match="mode"):
        carried_out(session, draft)


def test_undo_refuses_a_file_that_somebody_changed_since(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    (workspace.root / SCHEMA).write_text("loosened\n")
    session = direct(workspace)
    carried_out(session, plan_restore(session.planning(), [SCHEMA]))
    (workspace.root / SCHEMA).write_text("a later edit\n")
    with pytest.raises(RefusedError, match="has changed since"):
        session.plan_taking_back()
    assert (workspace.root / SCHEMA).read_text() == "a later edit\n"


def test_quarantine_takes_a_free_name_and_comes_back_to_the_byte(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    taken = workspace.root / f"{SFT}.QUARANTINED-1700000000"
    taken.write_text("an earlier one\n")
    before = tree(workspace.root)
    session = direct(workspace)
    draft = plan_quarantine(planning(workspace, session.incident.id), SFT)
    carried_out(session, draft)
    assert not (workspace.root / SFT).exists()
    assert taken.read_text() == "an earlier one\n"
    assert (workspace.root / f"{SFT}.QUARANTINED-1700000001").exists()
    taken_back(session)
    assert tree(workspace.root) == before


def test_undo_of_a_quarantine_never_overwrites_the_new_export(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    session = direct(workspace)
    carried_out(session, plan_quarantine(session.planning(), SFT))
    (workspace.root / SFT).write_text('{"id": "made again"}\n')
    with pytest.raises(RefusedError, match="has changed since"):
        session.plan_taking_back()
    assert (workspace.root / SFT).read_text() == '{"id": "made again"}\n'


@pytest.mark.parametrize(
    "path", ["distill.toml", "pipeline/schemas/sft.py", "exports", "exports/sft/none.jsonl"]
)
def test_quarantine_takes_outputs_only(tmp_path: Path, path: str) -> None:
    workspace = make_workspace(tmp_path / "w")
    with pytest.raises((RefusedError, OSError)):
        plan_quarantine(planning(workspace), path)


def test_a_linked_export_is_not_quarantined(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    theirs = tmp_path / "theirs.jsonl"
    theirs.write_text("theirs\n")
    (workspace.root / SFT).unlink()
    (workspace.root / SFT).symlink_to(theirs)
    with pytest.raises(RefusedError, match="a link"):
        plan_quarantine(planning(workspace), SFT)
    assert (workspace.root / SFT).readlink() == theirs


def test_what_was_restored_over_a_commit_says_how_to_record_it(tmp_path: Path) -> None:
    root = make_workspace(tmp_path / "w").root
    (root / SCHEMA).write_text("ALLOWED = ('rejected',)\n")
    git(root, "commit", "--quiet", "--all", "-m", "allow them")
    plan = planned(root, "restore", SCHEMA)
    done = distill(root, "restore", "--plan", plan["plan_hash"], *CONSENT)
    assert done.returncode == 0, done.stderr
    [line] = [each.strip() for each in done.stderr.splitlines() if "git commit" in each]
    incident = plan["incident_id"]
    page = root / "reports/incidents" / incident / "incident.md"
    assert "differ from HEAD" in page.read_text()
    assert line in page.read_text()
    assert line in distill(root, "incident", "show", incident).stdout
    git(root, "config", "user.name", "mira")
    git(root, "config", "user.email", "mira@example.org")
    (root / "staged.txt").write_text("somebody's own\n")
    git(root, "add", "staged.txt")
    subprocess.run(["sh", "-c", line], cwd=root, check=True, capture_output=True)
    assert git(root, "show", "--name-only", "--format=", "HEAD").split() == [SCHEMA]
    assert git(root, "diff", "--cached", "--name-only").split() == ["staged.txt"]
    assert "git commit" not in distill(root, "incident", "show", incident).stdout


def test_what_is_as_in_head_again_and_what_git_does_not_track_need_no_commit(tmp_path: Path) -> None:
    root = make_workspace(tmp_path / "w").root
    (root / SCHEMA).write_text("ALLOWED = ('rejected',)\n")
    for words in (("restore", SCHEMA), ("quarantine", SFT)):
        plan = planned(root, *words)
        done = distill(root, words[0], "--plan", plan["plan_hash"], *CONSENT)
        assert done.returncode == 0, done.stderr
        assert "git commit" not in done.stderr


def test_where_git_cannot_say_it_is_not_the_tag_that_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = make_workspace(tmp_path / "w")
    (workspace.root / SCHEMA).write_text("ALLOWED = ()\n")
    (tmp_path / "none").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "none"))
    with pytest.raises(RefusedError) as caught:
        plan_restore(planning(workspace), [SCHEMA])
    assert caught.value.fault.code == "git_failed"
    assert "git is not installed" in caught.value.fault.what_happened
    assert why_failed(GitError("git is not installed")) == "git is not installed", "a line for an operator"
