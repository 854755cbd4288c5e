"""A stream's files: the same list on every machine, and never a file that it may not read."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.contracts.faults import InputError, SettingsError
from pipeline.settings.model import EvaluationSettings, Settings
from pipeline.streams.files import list_sources, resolve_source, stream_files
from pipeline.streams.unread_files import unread_files
from tests.pipeline.streams.sources import settings_of, stream


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"{}\n")


def names(workspace: Path, *patterns: str, roots: tuple[str, ...] = ()) -> list[str]:
    runs = stream(path=list(patterns), fields={"task_id": "id"})
    return [file.relative for file in stream_files(workspace, settings_of(runs, roots=roots), runs)]


def test_files_are_sorted_by_the_bytes_of_their_names(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "data/_kb/runs.jsonl",
        "data/_kb/runs-2.jsonl",
        "data/_kb/runs-10.jsonl",
        "data/_kb/runs-é.jsonl",
    )
    assert names(tmp_path, "data/_kb/runs*.jsonl") == [
        "data/_kb/runs-10.jsonl",
        "data/_kb/runs-2.jsonl",
        "data/_kb/runs-é.jsonl",
        "data/_kb/runs.jsonl",
    ]


def test_a_file_that_two_globs_match_is_read_once(tmp_path: Path) -> None:
    touch(tmp_path, "data/_kb/runs.jsonl")
    assert names(tmp_path, "data/_kb/*.jsonl", "data/**/runs*") == ["data/_kb/runs.jsonl"]


def test_journals_their_archives_and_outputs_are_no_sources(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "data/_kb/runs.jsonl",
        "data/_kb/replay_runs.jsonl",
        "data/_kb/replay_runs.archive.1700000000.jsonl.gz",
        "data/_kb/distillation_skips.jsonl",
        "data/_kb/scoring_skips.jsonl",
        "data/_kb/audit_baselines.jsonl",
        "data/_kb/.runs.jsonl.swp",
        "data/evidence/runs.jsonl",
        "data/scored-runs/runs.jsonl",
        "data/other/replay_runs.jsonl",
    )
    assert names(tmp_path, "data/**/*") == ["data/_kb/runs.jsonl", "data/other/replay_runs.jsonl"]


def test_directories_and_pipes_are_no_sources(tmp_path: Path) -> None:
    touch(tmp_path, "data/_kb/runs.jsonl/inner.txt")
    assert names(tmp_path, "data/_kb/runs*") == []


def test_a_link_inside_is_followed_and_a_link_that_leaves_stops_no_other_file(tmp_path: Path) -> None:
    workspace, outside = tmp_path / "w", tmp_path / "outside"
    touch(workspace, "data/_kb/runs.jsonl")
    touch(outside, "secret.jsonl")
    (workspace / "data/_kb/runs-link.jsonl").symlink_to("runs.jsonl")
    assert names(workspace, "data/_kb/runs*") == ["data/_kb/runs-link.jsonl", "data/_kb/runs.jsonl"]
    (workspace / "data/_kb/runs-out.jsonl").symlink_to(outside / "secret.jsonl")
    (workspace / "data/_kb/runs-folder").symlink_to(outside)
    declared = stream(path=["data/_kb/runs*", "data/_kb/*/*"], fields={"task_id": "id"})
    listing = list_sources(workspace, Settings(streams=(declared,)), declared)
    assert [file.relative for file in listing.files] == ["data/_kb/runs-link.jsonl", "data/_kb/runs.jsonl"]
    assert listing.refused == dict.fromkeys(
        ("data/_kb/runs-out.jsonl", "data/_kb/runs-folder/secret.jsonl"),
        "a link that leads out of the workspace and its source_roots",
    )
    # What the settings themselves name is their mistake.
    with pytest.raises(InputError) as caught:
        names(workspace, f"{outside}/*.jsonl")
    assert "secret.jsonl" in caught.value.fault.what_happened
    with pytest.raises(InputError):
        names(workspace, "../outside/*.jsonl")


def test_a_file_in_a_source_root_is_named_by_the_root_and_found_again(tmp_path: Path) -> None:
    workspace, logs = tmp_path / "w", tmp_path / "somewhere" / "logs"
    workspace.mkdir()
    touch(logs, "day/runs.jsonl")
    assert names(workspace, f"{logs}/day/*.jsonl", roots=(str(logs),)) == ["@logs/day/runs.jsonl"]
    assert names(workspace, "../somewhere/logs/day/*.jsonl", roots=("../somewhere/logs",)) == [
        "@logs/day/runs.jsonl"
    ]
    runs = stream(fields={"task_id": "id"})
    settings = settings_of(runs, roots=(str(logs),))
    assert resolve_source(workspace, settings, "@logs/day/runs.jsonl") == logs / "day/runs.jsonl"
    assert resolve_source(workspace, settings, "data/_kb/x.jsonl") == workspace / "data/_kb/x.jsonl"
    with pytest.raises(InputError):
        resolve_source(workspace, settings, "@logs/../../secret")


def test_two_roots_of_one_name_are_refused(tmp_path: Path) -> None:
    for parent in ("a", "b"):
        (tmp_path / parent / "logs").mkdir(parents=True)
    with pytest.raises(SettingsError) as caught:
        names(tmp_path, "data/*", roots=("a/logs", "b/logs"))
    assert "both called logs" in caught.value.fault.what_happened


def test_a_name_that_is_not_utf8_is_refused_and_stops_no_other_file(tmp_path: Path) -> None:
    touch(tmp_path, "data/_kb/runs-\udcff.jsonl")
    touch(tmp_path, "data/_kb/runs-1.jsonl")
    listing = list_sources(tmp_path, Settings(), stream(path="data/_kb/runs*", fields={"task_id": "id"}))
    assert [file.relative for file in listing.files] == ["data/_kb/runs-1.jsonl"]
    runs = settings_of(stream(path="data/_kb/runs*", fields={"task_id": "id"}))
    assert unread_files(tmp_path, runs) == []
    assert listing.refused == {
        "data/_kb/runs-\\udcff.jsonl": "its name is not UTF-8, so no row could hold it; rename it"
    }


def test_a_name_that_is_not_utf8_stops_an_evaluation_set(tmp_path: Path) -> None:
    touch(tmp_path, "data/tests-\udcff.jsonl")
    held = EvaluationSettings.model_validate({"name": "held", "path": ("data/tests*",), "prompt": "q"})
    with pytest.raises(InputError) as caught:
        stream_files(tmp_path, Settings(), held)
    assert "tests-\\udcff.jsonl" in caught.value.fault.what_happened


def test_no_match_is_an_empty_list(tmp_path: Path) -> None:
    assert names(tmp_path, "data/_kb/runs*") == []
