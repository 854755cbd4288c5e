"""What git must say: every way of not being clean, phases out of history, tags that are taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.contracts.checks import CheckStatus
from pipeline.platform.git import GitError
from pipeline.release.git_gates import (
    PHASES,
    clean_state,
    next_tag,
    phase_commits,
    tag_is_free,
)
from tests.pipeline.release.repositories import commit_all, git, repository


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return repository(tmp_path / "w")


def test_a_committed_tree_is_clean(workspace: Path) -> None:
    assert clean_state(workspace).failed == 0


@pytest.mark.parametrize(
    "how", ["changed", "untracked", "deleted", "staged", "renamed", "assumed", "skipped", "merging"]
)
def test_every_way_of_not_being_clean_is_seen(workspace: Path, how: str) -> None:
    settings = workspace / "distill.toml"
    if how == "changed":
        settings.write_text(settings.read_text() + "# x\n", encoding="utf-8")
    elif how == "untracked":
        (workspace / "new file").write_text("x", encoding="utf-8")
    elif how == "deleted":
        settings.unlink()
    elif how == "staged":
        (workspace / "s").write_text("x", encoding="utf-8")
        git(workspace, "add", "s")
    elif how == "renamed":
        git(workspace, "mv", "distill.toml", "elsewhere.toml")
    elif how in ("assumed", "skipped"):
        flag = "--assume-unchanged" if how == "assumed" else "--skip-worktree"
        git(workspace, "update-index", flag, "distill.toml")
        settings.write_text(settings.read_text() + "# hidden\n", encoding="utf-8")
        assert git(workspace, "status", "--porcelain") == ""
    else:
        (workspace / ".git" / "MERGE_HEAD").write_text(git(workspace, "rev-parse", "HEAD"), encoding="utf-8")
    assert clean_state(workspace).failed == 1


def test_reports_that_are_made_again_are_tolerated_and_others_are_not(workspace: Path) -> None:
    report = workspace / "reports/distillation/phase6-acceptance-report.md"
    report.parent.mkdir(parents=True)
    report.write_text("one", encoding="utf-8")
    git(workspace, "add", "-f", str(report))
    commit_all(workspace, "track a report")
    report.write_text("two", encoding="utf-8")
    assert clean_state(workspace).failed == 0
    (workspace / "reports" / "distillation.md").write_text("x", encoding="utf-8")
    git(workspace, "add", "-f", "reports/distillation.md")
    assert clean_state(workspace).failed == 1


def test_each_phase_must_be_recorded_resolve_and_be_in_history(workspace: Path) -> None:
    head = git(workspace, "rev-parse", "HEAD")
    whole = dict.fromkeys(PHASES, head)
    outcome, resolved = phase_commits(workspace, whole)
    assert (outcome.failed, resolved) == (0, whole)
    git(workspace, "checkout", "-q", "-b", "side")
    aside = commit_all(workspace, "aside")
    git(workspace, "checkout", "-q", "main")
    bad = {**whole, "P2": "no-such-thing", "P4": aside}
    del bad["P7"]
    outcome, resolved = phase_commits(workspace, bad)
    assert outcome.failed == 3
    assert {example.text.split(" ")[0] for example in outcome.examples} == {"P2", "P4", "P7"}
    assert set(resolved) == set(PHASES) - {"P2", "P4", "P7"}


@pytest.mark.parametrize("hostile", ["--help", "$(id)", "HEAD; rm -rf .", "HEAD\nHEAD", "@{upstream}", ""])
def test_a_hostile_revision_names_no_commit(workspace: Path, hostile: str) -> None:
    outcome, _ = phase_commits(workspace, dict.fromkeys(PHASES, hostile))
    assert outcome.failed == len(PHASES)


def test_a_taken_tag_fails_and_the_default_is_the_next_free_one(workspace: Path) -> None:
    assert tag_is_free(workspace, "distillation-v1.0.0").failed == 1
    assert tag_is_free(workspace, "distillation-v1.0.1").status is CheckStatus.PASS
    assert next_tag(workspace, "distillation-v1.0.0") == "distillation-v1.0.1"
    git(workspace, "tag", "distillation-v1.0.1")
    assert next_tag(workspace, "distillation-v1.0.0") == "distillation-v1.0.2"


@pytest.mark.parametrize("tag", ["v1;id", "v1$(id)", "-d", "--list", "v1`id`", "a b", "v1|x", "é", ""])
def test_a_tag_with_shell_or_option_syntax_is_refused(workspace: Path, tag: str) -> None:
    assert tag_is_free(workspace, tag).failed == 1


def test_remotes_that_were_not_asked_are_named(workspace: Path) -> None:
    git(workspace, "remote", "add", "origin", "https://example.com/nowhere")
    assert "not asked: remote origin" in tag_is_free(workspace, "v9").detail


def test_without_a_repository_the_gates_say_so(tmp_path: Path) -> None:
    with pytest.raises(GitError):
        clean_state(tmp_path)
