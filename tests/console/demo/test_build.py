"""A demo workspace is built whole or not at all, and replaces nothing that is not its own."""

from __future__ import annotations

import fcntl
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.demo.build import MARKER, build_workspace
from console.demo.sources import Sources, choose_sources
from pipeline.contracts import paths
from pipeline.contracts.discovery import engine_argv
from pipeline.contracts.faults import SettingsError, StorageError, WorkspaceLockedError
from pipeline.platform.engine_choice import choose_engine
from pipeline.platform.process import run
from tests.git_commands import git

STREAM = '[[stream]]\nname = "tiny"\npath = "data/_kb/tiny.jsonl"\nfields = { task_id = "id" }\n'


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "tiny.jsonl").write_text('{"id":"a"}\n')
    return Sources(logs, (logs / "tiny.jsonl",), STREAM)


@pytest.fixture
def built(tmp_path: Path, sources: Sources) -> Path:
    return build_workspace(tmp_path / "demo", sources)


def test_the_history_has_one_commit_a_phase_and_ends_at_the_last_good_tag(built: Path) -> None:
    subjects = git(built, "log", "--reverse", "--format=%s").splitlines()
    assert [subject.split()[0] for subject in subjects[:-1]] == [f"P{number}" for number in range(9)]
    assert git(built, "describe", "--exact-match") == paths.DEFAULT_TAG
    assert git(built, "status", "--porcelain") == ""


def test_the_settings_name_each_phase_by_its_commit(built: Path) -> None:
    settings = tomllib.loads((built / paths.SETTINGS).read_text())
    assert list(settings["phases"]) == [f"P{number}" for number in range(9)]
    for phase, commit in settings["phases"].items():
        assert git(built, "log", "-1", "--format=%s", commit).startswith(f"{phase} ")


def test_the_engine_that_runs_is_the_workspace_copy(built: Path) -> None:
    choice = choose_engine(built)
    assert (choice.source, choice.directory) == ("workspace", built)
    tracked = git(built, "ls-files", "pipeline").splitlines()
    assert "pipeline/contracts/discovery.py" in tracked
    assert not [name for name in tracked if name.endswith(".pyc")]


def test_sources_are_copied_under_their_own_names_and_not_tracked(built: Path) -> None:
    assert (built / "data/_kb/tiny.jsonl").read_text() == '{"id":"a"}\n'
    assert git(built, "ls-files", "data") == ""


def test_our_own_demo_is_built_again(built: Path, sources: Sources) -> None:
    (built / "data/_kb/tiny.jsonl").write_text("changed")
    assert build_workspace(built, sources) == built
    assert (built / "data/_kb/tiny.jsonl").read_text() == '{"id":"a"}\n'
    assert sorted(path.name for path in built.parent.iterdir()) == ["demo", "logs"]


def test_an_empty_directory_may_be_used(tmp_path: Path, sources: Sources) -> None:
    (tmp_path / "empty").mkdir()
    assert (build_workspace(tmp_path / "empty", sources) / MARKER).is_file()


@pytest.mark.parametrize("kind", ["somebody's files", "a file", "a moved demo", "a broken marker"])
def test_what_is_not_our_demo_is_refused_and_kept(tmp_path: Path, sources: Sources, kind: str) -> None:
    place = tmp_path / "place"
    if kind == "a file":
        place.write_text("precious")
    else:
        (place / MARKER).parent.mkdir(parents=True)
        (place / "precious").write_text("precious")
    if kind == "a moved demo":
        (place / MARKER).write_text(json.dumps({"place": str(tmp_path / "elsewhere")}))
    if kind == "a broken marker":
        (place / MARKER).write_text("{")
    with pytest.raises(SettingsError) as refused:
        build_workspace(place, sources)
    assert refused.value.exit_code == 2
    assert "--dir" in refused.value.fault.do_next
    precious = place if kind == "a file" else place / "precious"
    assert precious.read_text() == "precious"


@pytest.fixture
def held_lock(built: Path) -> Iterator[None]:
    with (built / paths.LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.mark.usefixtures("held_lock")
def test_a_demo_in_which_a_run_works_is_not_replaced(built: Path, sources: Sources) -> None:
    with pytest.raises(WorkspaceLockedError):
        build_workspace(built, sources)
    assert (built / MARKER).is_file()


def test_a_build_that_fails_leaves_nothing_behind(tmp_path: Path, sources: Sources) -> None:
    gone = Sources(sources.directory, (sources.directory / "gone.jsonl",), STREAM)
    with pytest.raises(StorageError):
        build_workspace(tmp_path / "demo", gone)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["logs"]


def test_the_demo_declares_a_test_set_and_one_planted_run_is_refused(tmp_path: Path) -> None:
    root = build_workspace(tmp_path / "demo", choose_sources(None))
    [declared] = tomllib.loads((root / paths.SETTINGS).read_text())["evaluation"]
    assert (root / declared["path"]).is_file()
    done = run(engine_argv(["run-all", "-C", str(root)]), limit_seconds=120)
    assert done.exit_code == 0
    report = json.loads((root / paths.DECONTAMINATION).read_bytes())
    assert [(row["set"], row["refused"]) for row in report["rows"]] == [("held_out", True)]
    held = [json.loads(line) for line in (root / paths.SFT_QUARANTINE).read_bytes().splitlines()]
    assert [row["run_id"] for row in held if row["reason"] == "evaluation_overlap"] == [
        row["run_id"] for row in report["rows"]
    ]


def test_logs_of_somebody_else_are_held_against_no_set_of_ours(built: Path) -> None:
    assert "evaluation" not in tomllib.loads((built / paths.SETTINGS).read_text())
