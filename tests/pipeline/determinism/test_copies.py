from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from pipeline.determinism.copies import copy_workspace, private_folder
from pipeline.settings.load import load_settings
from pipeline.streams.files import stream_files

SETTINGS = """
[workspace]
name = "one"
{roots}
[[stream]]
name = "logs"
path = "{path}"
[stream.fields]
task_id = "id"
"""


def workspace(root: Path, path: str = "data/_kb/logs*.jsonl", roots: str = "") -> Path:
    root.mkdir(parents=True)
    (root / "distill.toml").write_text(SETTINGS.format(path=path, roots=roots))
    (root / "data/_kb").mkdir(parents=True)
    (root / "data/_kb/logs.jsonl").write_text('{"id": "a"}\n')
    return root


def names(root: Path) -> list[str]:
    settings = load_settings(root).settings
    return [file.relative for stream in settings.streams for file in stream_files(root, settings, stream)]


def test_a_copy_has_the_sources_and_settings_and_nothing_that_was_made(tmp_path: Path) -> None:
    root = workspace(tmp_path / "w")
    (root / "exports").mkdir()
    (root / ".distill").mkdir()
    with private_folder() as folder:
        copy = copy_workspace(root, load_settings(root).settings, folder)
        files = sorted(str(path.relative_to(copy)) for path in copy.rglob("*") if path.is_file())
        assert files == ["data/_kb/logs.jsonl", "distill.toml"]
        assert names(copy) == names(root)


def test_the_folder_is_private_and_gone_afterwards_even_after_an_error() -> None:
    seen: list[Path] = []

    def fail() -> None:
        with private_folder() as folder:
            seen.append(folder)
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert not seen[0].exists()


def test_a_source_root_beside_the_workspace_is_found_from_the_copy(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/x.jsonl").write_text('{"id": "b"}\n')
    root = workspace(tmp_path / "w", path="../logs/*.jsonl", roots='source_roots = ["../logs"]')
    assert names(root) == ["@logs/x.jsonl"]
    with private_folder() as folder:
        copy = copy_workspace(root, load_settings(root).settings, folder)
        assert names(copy) == ["@logs/x.jsonl"]
        assert all(path.is_relative_to(folder) for path in folder.rglob("x.jsonl"))


def test_across_file_systems_files_are_copied_instead_of_linked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "another file system")

    root = workspace(tmp_path / "w")
    monkeypatch.setattr(os, "link", refuse)
    with private_folder() as folder:
        copy = copy_workspace(root, load_settings(root).settings, folder)
        assert (copy / "data/_kb/logs.jsonl").read_bytes() == (root / "data/_kb/logs.jsonl").read_bytes()
        assert (copy / "data/_kb/logs.jsonl").stat().st_nlink == 1
