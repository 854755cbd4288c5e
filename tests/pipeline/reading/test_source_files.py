"""A viewer finds just the files that the engine reads: another answer would be another truth."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from pipeline.reading.report_files import Notes
from pipeline.reading.settings_glance import read_settings
from pipeline.reading.source_files import files_of, find_sources
from pipeline.settings.load import load_settings
from pipeline.streams.files import stream_files

STREAM = """\
[workspace]
source_roots = ["../outside"]

[[stream]]
name = "runs"
path = {path}
tier = 1

[stream.fields]
task_id = "task"
instruction = "ask"
response = "said"
"""
# A hidden one, journals, outputs, and one beside the workspace: each is somebody's usual mistake.
FILES = (
    "data/_kb/runs.jsonl",
    "data/_kb/.runs-hidden.jsonl",
    "data/_kb/replay_runs.jsonl",
    "data/_kb/deeper/runs.jsonl",
    "data/inbox/replay_runs.jsonl",
    "data/evidence/runs.jsonl",
    "exports/sft/runs.jsonl",
    "../outside/runs.jsonl",
)
PATTERNS = (
    '"data/_kb/*.jsonl"',
    '"data/_kb/**/*.jsonl"',
    '"data/_kb/.runs*.jsonl"',
    '"data/**/*.jsonl"',
    '"../outside/*.jsonl"',
    '"runs.jsonl"',
    '"data/inbox/*.jsonl"',
    '["data/_kb/runs*.jsonl", "data/_kb/*.jsonl"]',
    '"data/_kb/gone*.jsonl"',
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "w"
    for name in FILES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("{}\n", encoding="utf-8")
    return root


def declare(root: Path, pattern: str) -> None:
    (root / "distill.toml").write_text(STREAM.format(path=pattern), encoding="utf-8")


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_viewer_finds_the_files_that_the_engine_reads(root: Path, pattern: str) -> None:
    declare(root, pattern)
    settings = load_settings(root).settings
    engine = {each.path.resolve() for each in stream_files(root, settings, settings.streams[0])}
    glance = read_settings(root, Notes())
    found = [path.resolve() for path in files_of(root, glance, glance.streams[0])]
    assert set(found) == engine
    assert len(found) == len(engine), "each file once"
    assert (find_sources(root, glance, Notes()).empty_tier_1 == ()) is bool(engine)


def test_a_link_that_leads_out_of_the_workspace_is_no_source(root: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "rows.jsonl").write_text("{}\n", encoding="utf-8")
    (root / "data/_kb/linked.jsonl").symlink_to(elsewhere / "rows.jsonl")
    (root / "data/_kb/folder").symlink_to(elsewhere)
    declare(root, '["data/_kb/linked.jsonl", "data/_kb/folder/*.jsonl"]')
    glance = read_settings(root, Notes())
    assert list(files_of(root, glance, glance.streams[0])) == []


def test_a_folder_that_cannot_be_listed_is_not_taken_for_an_empty_one(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(root, '["data/_kb/*.jsonl"]')
    glance = read_settings(root, Notes())
    assert find_sources(root, glance, Notes()).trouble == ""

    def starved(_: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(os, "scandir", starved)
    found = find_sources(root, glance, Notes())
    assert found.empty_tier_1 == ()
    assert "Too many open files" in found.trouble


def test_a_folder_that_is_not_there_has_no_rows(root: Path) -> None:
    declare(root, '["data/never/*.jsonl"]')
    found = find_sources(root, read_settings(root, Notes()), Notes())
    assert (found.empty_tier_1, found.trouble) == (("runs",), "")
