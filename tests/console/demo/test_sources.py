"""Which files a demo is filled from, and which stream settings come with them."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from console.demo.sources import choose_sources, copy_sources, stream_blocks
from pipeline.contracts.faults import SettingsError

OWN_SETTINGS = """\
[workspace]
name = "theirs"

# The night shift's log.
[[stream]]
name = "night"
path = "data/_kb/night*.jsonl"
[stream.fields]
task_id = "id"

[scoring]
accept_at = 0.9

[[stream]]
name = "day"
path = "data/_kb/day.jsonl"
fields = { task_id = "id" }
"""


def _directory(tmp_path: Path, settings: str | None = OWN_SETTINGS) -> Path:
    directory = tmp_path / "logs"
    directory.mkdir()
    (directory / "night.jsonl").write_text('{"id":"a"}\n')
    (directory / "day.jsonl").write_text('{"id":"b"}\n')
    if settings is not None:
        (directory / "distill.toml").write_text(settings)
    return directory


def test_a_directory_with_its_own_streams_brings_them_and_nothing_else(tmp_path: Path) -> None:
    sources = choose_sources(_directory(tmp_path))
    streams = tomllib.loads(sources.streams)
    assert [stream["name"] for stream in streams.pop("stream")] == ["night", "day"]
    assert streams == {}
    assert "# The night shift's log." in sources.streams
    assert [file.name for file in sources.files] == ["day.jsonl", "night.jsonl"]


def test_without_own_streams_the_shipped_ones_are_reduced_to_the_files_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "xsum_factuality.jsonl").write_text("{}\n")
    streams = tomllib.loads(choose_sources(tmp_path).streams)["stream"]
    assert [stream["name"] for stream in streams] == ["xsum_factuality"]


def test_the_fixtures_are_read_by_the_shipped_settings_for_all_ten_streams() -> None:
    sources = choose_sources(None)
    assert len(sources.files) == len(tomllib.loads(sources.streams)["stream"]) == 10


@pytest.mark.parametrize("name", ["replay_runs.jsonl", "audit_baselines.archive.1.jsonl", "notes.txt"])
def test_journals_and_other_files_are_no_sources(tmp_path: Path, name: str) -> None:
    directory = _directory(tmp_path)
    (directory / name).write_text("{}\n")
    assert name not in [file.name for file in choose_sources(directory).files]


def test_the_logs_of_a_workspace_are_those_in_its_knowledge_base(tmp_path: Path) -> None:
    directory = _directory(tmp_path)
    (directory / "data/_kb").mkdir(parents=True)
    (directory / "data/_kb/night-2.jsonl").write_text("{}\n")
    assert [file.name for file in choose_sources(directory).files] == ["night-2.jsonl"]


def test_a_linked_log_is_copied_and_not_linked(tmp_path: Path) -> None:
    directory = _directory(tmp_path)
    (directory / "night.jsonl").rename(tmp_path / "elsewhere.jsonl")
    (directory / "night.jsonl").symlink_to(tmp_path / "elsewhere.jsonl")
    workspace = tmp_path / "workspace"
    copy_sources(choose_sources(directory), workspace)
    copy = workspace / "data/_kb/night.jsonl"
    assert copy.read_text() == '{"id":"a"}\n'
    assert not copy.is_symlink()
    assert copy.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ("[[stream]\n", "cannot be read"),
        ('note = """\n[[stream]]\nname = "text"\n"""\n', "cannot be"),
    ],
)
def test_settings_that_cannot_be_told_apart_are_refused(
    tmp_path: Path, settings: str, complaint: str
) -> None:
    file = tmp_path / "distill.toml"
    file.write_text(settings)
    with pytest.raises(SettingsError) as refused:
        stream_blocks(file)
    assert complaint in refused.value.fault.what_happened


@pytest.mark.parametrize("kind", ["missing", "empty", "unknown logs"])
def test_a_directory_without_usable_logs_is_refused_with_the_way_out(tmp_path: Path, kind: str) -> None:
    directory = tmp_path / "logs"
    if kind != "missing":
        directory.mkdir()
    if kind == "unknown logs":
        (directory / "what_is_this.jsonl").write_text("{}\n")
    with pytest.raises(SettingsError) as refused:
        choose_sources(directory)
    assert str(directory) in refused.value.fault.what_happened
    assert refused.value.exit_code == 2
