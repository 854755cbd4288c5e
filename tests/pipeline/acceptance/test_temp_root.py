"""A root is private, goes when all is well, stays when not, and only so many stay."""

from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path

import pytest

from pipeline.acceptance.temp_root import KEPT_ROOTS, PREFIX, forget_old_roots, temp_root


def test_a_root_is_private_and_removed(tmp_path: Path) -> None:
    with temp_root(tmp_path) as root:
        assert root.path.name.startswith(PREFIX)
        assert stat.S_IMODE(root.path.stat().st_mode) == 0o700
        assert stat.S_IMODE(root.home.stat().st_mode) == 0o700
        (root.path / "data").mkdir()
    assert list(tmp_path.iterdir()) == []


def test_a_root_is_removed_when_the_block_raises(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), temp_root(tmp_path):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def kept_root(tmp_path: Path) -> Path:
    with temp_root(tmp_path) as root:
        root.keep = True
    return root.path


def test_the_five_latest_are_kept(tmp_path: Path) -> None:
    made = []
    for number in range(KEPT_ROOTS + 2):
        made.append(kept_root(tmp_path))
        os.utime(made[-1], (number, number))
    forget_old_roots(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(made[-KEPT_ROOTS:])


def test_a_root_in_use_is_not_tidied_away(tmp_path: Path) -> None:
    oldest = kept_root(tmp_path)
    os.utime(oldest, (0, 0))
    held = os.open(oldest, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_SH)
        for _ in range(KEPT_ROOTS):
            kept_root(tmp_path)
        assert oldest.is_dir()
    finally:
        os.close(held)
    forget_old_roots(tmp_path)
    assert not oldest.exists()


def test_what_only_looks_like_a_root_is_left_alone(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").touch()
    link = tmp_path / f"{PREFIX}link"
    link.symlink_to(elsewhere)
    file = tmp_path / f"{PREFIX}file"
    file.touch()
    for _ in range(KEPT_ROOTS + 1):
        kept_root(tmp_path)
    assert (elsewhere / "file").exists()
    assert link.is_symlink()
    assert file.exists()
