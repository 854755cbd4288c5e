"""A folder that may not be listed is no empty one."""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path

import pytest

from pipeline.platform.listable import check_listable

PATTERNS = [
    "*.jsonl",
    "logs/*.jsonl",
    "logs/**/*.jsonl",
    "logs/*/run/*.jsonl",
    "**/*.jsonl",
    "nowhere/*.jsonl",
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in ("logs/a/run", "logs/b/run", "logs/a/.hidden", "other"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "logs/a/file.jsonl").write_text("{}\n")
    return tmp_path


def refusing(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """As the system does for who is not root."""
    listed = os.scandir

    def scandir(place: Path) -> object:
        if Path(place) == folder:
            raise PermissionError(13, "Permission denied", str(folder))
        return listed(place)

    monkeypatch.setattr(os, "scandir", scandir)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_what_may_be_listed_or_is_not_there_is_no_trouble(root: Path, pattern: str) -> None:
    check_listable(root, pattern)


@pytest.mark.parametrize(
    ("refused", "patterns"),
    [
        ("", ["*.jsonl", "**/*.jsonl"]),
        ("logs", ["logs/*.jsonl", "logs/**/*.jsonl", "logs/*/run/*.jsonl", "**/*.jsonl"]),
        ("logs/b", ["logs/**/*.jsonl", "**/*.jsonl"]),
        ("logs/b/run", ["logs/**/*.jsonl", "logs/*/run/*.jsonl", "**/*.jsonl"]),
        ("logs/a/.hidden", []),
        ("other", ["**/*.jsonl"]),
    ],
)
def test_a_folder_that_a_pattern_leads_into_is_named(
    root: Path, monkeypatch: pytest.MonkeyPatch, refused: str, patterns: list[str]
) -> None:
    refusing(monkeypatch, root / refused)
    for pattern in PATTERNS:
        is_told = pytest.raises(PermissionError, match="denied") if pattern in patterns else nullcontext()
        with is_told as caught:
            check_listable(root, pattern)
        assert caught is None or caught.value.filename == str(root / refused)
