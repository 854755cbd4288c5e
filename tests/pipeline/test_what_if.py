"""``score --what-if`` against what a run really does with the same thresholds."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import orjson
import pytest

from console.demo.build import build_workspace
from console.demo.sources import choose_sources
from pipeline.contracts import paths
from pipeline.contracts.discovery import engine_argv
from pipeline.contracts.faults import ExitCode, SettingsError
from pipeline.settings.load import load_settings
from pipeline.settings.model import ScoringSettings
from pipeline.what_if import WhatIf, changed_thresholds, what_if


def engine(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(engine_argv(arguments), capture_output=True, check=False)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = build_workspace(tmp_path_factory.mktemp("what-if") / "w", choose_sources(None))
    # The thresholds of the other run must be within what the fixtures' rewards can show.
    assert engine("run-all", "-C", str(root)).returncode == ExitCode.OK
    return root


def compared(root: Path, *changes: str) -> WhatIf:
    settings = load_settings(root).settings
    return what_if(root, settings, changed_thresholds(settings.scoring, changes))


def exported(root: Path) -> dict[str, set[str]]:
    """The run ids in each export, from the files."""

    def rows(relative: object) -> list[dict[str, Any]]:
        return [orjson.loads(line) for line in (root / str(relative)).read_bytes().splitlines()]

    return {
        "rag": {row["source_run_id"] for row in rows(paths.RAG_EXPORT)},
        "sft": {row["source_run_id"] for row in rows(paths.SFT_EXPORT)},
        "preference": {
            f"{row['chosen_run_id']} > {row['rejected_run_id']}" for row in rows(paths.PREFERENCE_EXPORT)
        },
    }


def categories(root: Path) -> dict[str, str]:
    return {
        row["run_id"]: row["category"]
        for path in (root / paths.SCORED_RUNS).glob("*.jsonl")
        for row in map(orjson.loads, path.read_bytes().splitlines())
    }


def test_unchanged_thresholds_give_the_exports_that_the_run_wrote(workspace: Path) -> None:
    found = compared(workspace, "partial_at=0.5")
    assert found.moves == []
    assert {change.export: change.now for change in found.exports} == {
        name: len(ids) for name, ids in exported(workspace).items()
    }
    assert all(change.now == change.then and not change.gained for change in found.exports)


@pytest.mark.slow
@pytest.mark.parametrize("changes", [("partial_at=0.9",), ("accept_at=0.6", "partial_at=0.1")])
def test_what_it_says_is_what_a_run_with_these_thresholds_does(
    workspace: Path, tmp_path: Path, changes: tuple[str, ...]
) -> None:
    found = compared(workspace, *changes)
    assert found.moves, "a comparison without a move shows nothing"
    other = build_workspace(tmp_path / "w", choose_sources(None))
    text = (other / paths.SETTINGS).read_text()
    for change in changes:
        name, _, value = change.partition("=")
        text = re.sub(rf"^{name} = .*$", f"{name} = {value}", text, flags=re.MULTILINE)
    (other / paths.SETTINGS).write_text(text)
    assert engine("run-all", "-C", str(other)).returncode == ExitCode.OK

    before, after = categories(workspace), categories(other)
    moved = {run_id: (before[run_id], after[run_id]) for run_id in before if before[run_id] != after[run_id]}
    assert {move.run_id: (move.before, move.after) for move in found.moves} == moved
    was, now = exported(workspace), exported(other)
    for change_of in found.exports:
        assert set(change_of.gained) == now[change_of.export] - was[change_of.export]
        assert set(change_of.lost) == was[change_of.export] - now[change_of.export]
        assert change_of.then == len(now[change_of.export])


def test_nothing_is_written(workspace: Path) -> None:
    def tree() -> dict[str, tuple[int, int]]:
        return {
            str(path): (path.stat().st_mtime_ns, path.stat().st_size)
            for path in workspace.rglob("*")
            if "__pycache__" not in path.parts
        }

    before = tree()
    assert engine("score", "-C", str(workspace), "--what-if", "partial_at=0.9").returncode == ExitCode.OK
    assert tree() == before


def test_json_has_every_moved_row_and_the_text_has_examples(workspace: Path) -> None:
    done = engine("score", "-C", str(workspace), "--json", "--what-if", "partial_at=0.9")
    data = json.loads(done.stdout)
    assert data["moved"] == len(data["moves"]) == sum(group["rows"] for group in data["by_stream"]) > 0
    text = engine("score", "-C", str(workspace), "--what-if", "partial_at=0.9").stdout.decode()
    assert text.startswith(f"partial_at 0.5 → 0.9: {data['moved']} of ")
    assert data["moves"][0]["run_id"] in text


@pytest.mark.parametrize(
    "change",
    ["partial=0.7", "partial_at", "partial_at=much", "partial_at=1.5", "partial_at=0.9,accept_at=0.1"],
)
def test_a_threshold_that_cannot_be_is_a_usage_error(change: str) -> None:
    with pytest.raises(SettingsError):
        changed_thresholds(ScoringSettings(), [change])
