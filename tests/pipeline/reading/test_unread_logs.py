"""Logs that no stream reads, as the console lists them: the same names that the engine's check lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.reading.report_files import Notes
from pipeline.reading.settings_glance import read_settings
from pipeline.reading.source_files import unread_logs
from pipeline.settings.load import load_settings
from pipeline.streams.unread_files import unread_files

SETTINGS = """
[[stream]]
name = "runs"
path = ["data/_kb/runs*.jsonl", "logs/*.jsonl", "named/one.jsonl"]

[stream.fields]
task_id = "id"

[[evaluation]]
name = "held-out"
path = "data/_kb/test-set.jsonl"
prompt = "q"
"""
FILES = (
    "data/_kb/runs-1.jsonl", "data/_kb/new.jsonl", "data/_kb/deep/er.traj", "data/_kb/old.jsonl.gz",
    "data/_kb/.hidden.jsonl", "data/_kb/test-set.jsonl", "data/_kb/notes.md", "data/_kb/replay_runs.jsonl",
    "logs/a.jsonl", "logs/b.json", "logs/deep/c.json", "elsewhere/d.jsonl", "named/one.jsonl",
    "named/two.jsonl",
    "exports/sft/x.jsonl",
)  # fmt: skip


@pytest.mark.parametrize("files", [FILES, FILES[:1], ()])
def test_the_console_and_the_check_list_the_same_logs(tmp_path: Path, files: tuple[str, ...]) -> None:
    (tmp_path / "distill.toml").write_text(SETTINGS)
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}\n")
    listed = unread_logs(tmp_path, read_settings(tmp_path, Notes()))
    assert list(listed) == unread_files(tmp_path, load_settings(tmp_path).settings)
    if files == FILES:
        assert listed == (
            "data/_kb/deep/er.traj", "data/_kb/new.jsonl", "data/_kb/old.jsonl.gz", "logs/b.json",
        )  # fmt: skip


def test_settings_that_cannot_be_read_make_no_log_an_unread_one(tmp_path: Path) -> None:
    (tmp_path / "data/_kb").mkdir(parents=True)
    (tmp_path / "data/_kb/new.jsonl").write_text("{}\n")
    (tmp_path / "distill.toml").write_text("[[")
    assert unread_logs(tmp_path, read_settings(tmp_path, Notes())) == ()


@pytest.mark.parametrize("sets", ["evaluation = 3", "[[evaluation]]\npath = 3", "[[evaluation]]\npath = [3]"])
def test_odd_settings_are_read_leniently(tmp_path: Path, sets: str) -> None:
    (tmp_path / "data/_kb").mkdir(parents=True)
    (tmp_path / "data/_kb/new.jsonl").write_text("{}\n")
    (tmp_path / "distill.toml").write_text(sets)
    assert unread_logs(tmp_path, read_settings(tmp_path, Notes())) == ("data/_kb/new.jsonl",)
