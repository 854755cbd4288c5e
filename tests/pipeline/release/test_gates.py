"""The gates: what git must say, the test suite, the phases, the hand-off page."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest

from console.reading.git_facts import read_git
from pipeline.contracts.checks import CheckStatus
from pipeline.contracts.faults import SettingsError
from pipeline.platform.git import GitError, read_git_state
from pipeline.release import gates, handoff
from pipeline.release.git_gates import (
    PHASES,
    clean_state,
    next_tag,
    phase_commits,
    tag_is_free,
)
from pipeline.release.phases import record_phase
from pipeline.release.suite import count_tests, run_suite
from pipeline.settings.load import load_settings
from tests.git_commands import git
from tests.pipeline.engine.workspaces import engine
from tests.pipeline.release.repositories import commit_all, repository

# Every way of not being clean, phases out of history, tags that are taken


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return repository(tmp_path / "w")


def test_a_committed_tree_is_clean(workspace: Path) -> None:
    assert not is_dirty(workspace)


def is_dirty(workspace: Path) -> bool:
    """What gate, receipt and console all say of the tree."""
    receipt = read_git_state(workspace).to_dict()
    assert receipt is not None
    console = read_git(workspace, "distillation-v1.0.0", 5.0).dirty
    (said,) = {clean_state(workspace).failed == 1, receipt["dirty"], console}
    return said is True


@pytest.mark.parametrize(
    "how", ["changed", "untracked", "deleted", "staged", "renamed", "assumed", "skipped", "merging"]
)
def test_every_way_of_not_being_clean_is_seen_by_gate_receipt_and_console(workspace: Path, how: str) -> None:
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
    assert is_dirty(workspace)


def test_reports_that_are_made_again_are_tolerated_and_others_are_not(workspace: Path) -> None:
    report = workspace / "reports/distillation/phase6-acceptance-report.md"
    report.parent.mkdir(parents=True)
    report.write_text("one", encoding="utf-8")
    git(workspace, "add", "-f", str(report))
    commit_all(workspace, "track a report")
    report.write_text("two", encoding="utf-8")
    assert not is_dirty(workspace)
    (workspace / "reports" / "distillation.md").write_text("x", encoding="utf-8")
    git(workspace, "add", "-f", "reports/distillation.md")
    assert clean_state(workspace).failed == 1


def test_ten_changes_are_told_in_a_line_and_every_one_is_an_example(workspace: Path) -> None:
    for number in range(12):
        (workspace / f"new-{number:02}").write_text("x", encoding="utf-8")
    outcome = clean_state(workspace)
    assert outcome.observed == "12 changes"
    assert (len(outcome.examples), outcome.detail.count("new-")) == (12, 10)
    assert "new-09" in outcome.detail
    assert "new-10" not in outcome.detail


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


# Phases are recorded in the file's own words; the hand-off page is true or said to be old


def test_a_phase_is_recorded_by_its_full_id_and_nothing_else_changes(workspace: Path) -> None:
    path = workspace / "distill.toml"
    path.write_text(
        "# kept comment\n" + path.read_text() + "\n[drift]\nwarn_pct = 25.0 # and this\n", encoding="utf-8"
    )
    before = tomllib.loads(path.read_text())
    head = git(workspace, "rev-parse", "HEAD")
    assert record_phase(workspace, "P4", "HEAD") == head
    assert record_phase(workspace, "P5", "main") == head
    after = path.read_text()
    assert tomllib.loads(after) == {**before, "phases": {"P4": head, "P5": head}}
    assert "# kept comment" in after
    assert "# and this" in after
    assert load_settings(workspace).settings.phases == {"P4": head, "P5": head}


def test_a_phase_of_the_workspaces_own_is_recorded_gated_and_told(workspace: Path) -> None:
    head = git(workspace, "rev-parse", "HEAD")
    for phase in (*PHASES, "P10"):
        record_phase(workspace, phase, "HEAD")
    settings = load_settings(workspace).settings
    assert settings.phases["P10"] == head
    outcome, resolved = phase_commits(workspace, settings.phases)
    assert (outcome.failed, resolved["P10"]) == (0, head)
    assert outcome.detail == "every phase is in the history of HEAD: P0 to P8, P10"
    outcome, _ = phase_commits(workspace, {**settings.phases, "P11": "no-such-thing"})
    assert (outcome.failed, outcome.observed) == (1, "10 of 11 resolve")
    page = handoff.page(workspace, settings)
    assert f"| P10 | added by this workspace | `{head[:12]}` |" in page
    assert "distill release phases --set P11=COMMIT" in page  # a recorded one is never written over
    assert "P10  " + head in engine(workspace, "release", "phases").stdout


@pytest.mark.parametrize(
    ("phase", "revision"),
    [("P9", "HEAD"), ("P09", "HEAD"), ("P1000", "HEAD"), ("x", "HEAD"), ("P1", "nowhere"), ("P1", "--all")],
)
def test_what_cannot_be_recorded_leaves_the_file_alone(workspace: Path, phase: str, revision: str) -> None:
    before = (workspace / "distill.toml").read_bytes()
    with pytest.raises(SettingsError):
        record_phase(workspace, phase, revision)
    assert (workspace / "distill.toml").read_bytes() == before


def test_the_command_shows_and_records(workspace: Path) -> None:
    finished = engine(workspace, "release", "phases", "--set", "P0=HEAD~3")
    assert finished.returncode == 0, finished.stderr
    assert git(workspace, "rev-parse", "HEAD~3") in finished.stdout
    assert "P1  not recorded" in finished.stdout
    assert engine(workspace, "release", "phases", "--set", "P0").returncode == 2


def test_phases_that_no_commit_was_recorded_for_are_recorded_by_one(workspace: Path) -> None:
    head, earlier = git(workspace, "rev-parse", "HEAD"), git(workspace, "rev-parse", "HEAD~1")
    told = engine(workspace, "release", "phases")
    assert "distill release phases --all COMMIT" in told.stderr
    record_phase(workspace, "P4", "HEAD~1")
    finished = engine(workspace, "release", "phases", "--all", "HEAD")
    assert finished.returncode == 0, finished.stderr
    phases = load_settings(workspace).settings.phases
    assert phases == {**dict.fromkeys(PHASES, head), "P4": earlier}
    outcome, _ = phase_commits(workspace, phases)
    assert not outcome.failed
    assert "--all COMMIT" not in engine(workspace, "release", "phases").stderr


def test_the_page_of_an_installed_engine_names_no_file_of_it(workspace: Path) -> None:
    settings = load_settings(workspace).settings
    assert settings.engine.source == "installed"
    assert "pipeline/" not in handoff.page(workspace, settings)
    own = settings.model_copy(update={"engine": settings.engine.model_copy(update={"source": "workspace"})})
    page = handoff.page(workspace, own)
    assert "`pipeline/schemas/sft.py`" in page
    assert "-- pipeline/ distill.toml" in page


def test_the_page_says_when_it_is_missing_old_or_true(workspace: Path) -> None:
    settings = load_settings(workspace).settings
    assert handoff.what_is_wrong(workspace, settings) == "is missing"
    assert engine(workspace, "handoff").returncode == 0
    assert handoff.what_is_wrong(workspace, settings) is None
    record_phase(workspace, "P3", "HEAD")
    assert (
        handoff.what_is_wrong(workspace, load_settings(workspace).settings)
        == "is older than what it describes"
    )


def test_hostile_commit_subjects_are_text_on_the_page(workspace: Path) -> None:
    commit_all(workspace, "evil \x1b]52;c;aGk=\x07 | [x](javascript:1) <b> `code`")
    git(workspace, "tag", "-f", "distillation-v1.0.0")
    page = handoff.page(workspace, load_settings(workspace).settings)
    assert "\x1b" not in page
    assert "\\[x\\]" in page
    assert "\\<b\\>" in page


# The test suite: what ran counts, and nothing else


@pytest.mark.parametrize(
    ("output", "count"),
    [
        ("Ran 6 tests in 0.1s\n\nOK (skipped=5)\n", 1),
        ("Ran 3 tests in 0.1s\n\nOK\n", 3),
        ("Ran 2 tests in 0.1s\n\nOK (skipped=2)\n", 0),
        ("Ran 0 tests in 0.0s\n\nNO TESTS RAN\n", 0),
        ("==== 12 passed, 3 skipped in 1.2s ====\n", 12),
        ("all good\n", None),
        ("", None),
    ],
)
def test_the_tests_that_really_ran_are_counted(output: str, count: int | None) -> None:
    assert count_tests(output) == count


@pytest.mark.parametrize(
    "code",
    [
        "import sys; print('Ran 2 tests in 0s', file=sys.stderr); sys.exit(1)",
        "print('nothing to see')",
        "print('Ran 0 tests in 0s')",
    ],
)
def test_a_suite_that_fails_or_says_nothing_does_not_pass(tmp_path: Path, code: str) -> None:
    outcome = run_suite(tmp_path, (sys.executable, "-c", code))
    assert outcome.status is CheckStatus.FAIL
    assert outcome.failed == 1


def test_a_suite_that_ran_and_passed_passes(tmp_path: Path) -> None:
    outcome = run_suite(tmp_path, (sys.executable, "-c", "print('Ran 2 tests in 0s')"))
    assert (outcome.examined, outcome.failed) == (2, 0)


def test_a_suite_that_cannot_be_started_fails(tmp_path: Path) -> None:
    assert run_suite(tmp_path, ("no-such-program-here",)).status is CheckStatus.FAIL


def test_a_suite_that_never_ends_is_not_evaluated(tmp_path: Path) -> None:
    outcome = run_suite(tmp_path, (sys.executable, "-c", "import time; time.sleep(60)"), timeout_seconds=0.3)
    assert outcome.status is CheckStatus.ERROR


def test_no_shell_reads_the_arguments(tmp_path: Path) -> None:
    run_suite(tmp_path, (sys.executable, "-c", "pass", "; touch planted", "$(touch planted)"))
    assert not (tmp_path / "planted").exists()


@pytest.mark.parametrize(
    ("statuses", "exit_code", "passes", "observed"),
    [
        (["pass", "warn"], 0, True, "2/2, exit 0"),
        (["pass", "fail"], 0, False, "1/2, exit 0"),
        (["pass", "error"], 0, False, "1/2, exit 0"),
        (["pass", "pass"], 1, False, "2/2, exit 1"),
        ([], 0, False, "0/0, exit 0"),
    ],
)
def test_a_gate_passes_when_its_command_and_every_required_check_do(
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
    statuses: list[str],
    exit_code: int,
    passes: bool,
    observed: str,
) -> None:
    required = [{"id": f"P{at}", "required": True, "status": each} for at, each in enumerate(statuses)]
    report = {"checks": [*required, {"id": "P9", "required": False, "status": "fail"}]}
    said = SimpleNamespace(stdout=json.dumps(report), exit_code=exit_code)
    monkeypatch.setattr(gates, "run", lambda *_, **__: said)
    gate = gates.GateRun(workspace, load_settings(workspace).settings, "v2")._command("acceptance", [])
    assert (gate.status is CheckStatus.PASS, gate.observed) == (passes, observed)
