from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from pipeline.platform import disk
from runbook.change import files
from runbook.change.plan import ABSENT
from runbook.change.refusals import RefusedError

OUTSIDE = [
    "",
    "/etc/passwd",
    "../x",
    "a/../../x",
    "a//b",
    "./a",
    "a/",
    "a\0b",
    ".git/config",
    "x/.GIT/hooks/y",
]


@pytest.mark.parametrize("path", OUTSIDE)
def test_a_path_that_leaves_the_workspace_or_belongs_to_git_is_refused(path: str) -> None:
    with pytest.raises(RefusedError):
        files.checked(path)


def test_a_link_on_the_way_is_refused_for_reading_and_writing(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "f").write_text("theirs")
    root = tmp_path / "root"
    root.mkdir()
    (root / "folder").symlink_to(outside)
    for act in (
        lambda: files.state_of(root, "folder/f"),
        lambda: files.write_bytes(root, "folder/f", b"ours", 0o600),
        lambda: files.remove(root, "folder/f"),
        lambda: files.rename_new(root, "folder/f", "g"),
    ):
        with pytest.raises(RefusedError):
            act()
    assert (outside / "f").read_text() == "theirs"


def test_a_link_as_the_file_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("theirs")
    (tmp_path / "link").symlink_to("target")
    with pytest.raises(RefusedError):
        files.state_of(tmp_path, "link")


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RefusedError):
        files.state_of(tmp_path, "pipe")


def test_nothing_there_is_absent(tmp_path: Path) -> None:
    assert files.state_of(tmp_path, "a/b/c") == ABSENT


def test_a_write_has_just_the_mode_that_was_asked_for(tmp_path: Path) -> None:
    made = files.write_bytes(tmp_path, "a/b/c", b"x", 0o640)
    assert made == ["a", "a/b"]
    assert files.state_of(tmp_path, "a/b/c").mode == 0o640
    assert [path.name for path in (tmp_path / "a/b").iterdir()] == ["c"]


def test_a_rename_never_overwrites_a_file_or_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "source").write_text("bad rows")
    (tmp_path / "taken").write_text("older")
    (tmp_path / "folder").mkdir()
    for target in ("taken", "folder"):
        with pytest.raises(FileExistsError):
            files.rename_new(tmp_path, "source", target)
    assert (tmp_path / "taken").read_text() == "older"
    assert (tmp_path / "source").read_text() == "bad rows"


def test_where_the_kernel_cannot_rename_safely_a_link_refuses_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoSuchCall:
        def __init__(self, *_arguments: object, **_named: object) -> None:
            pass

    monkeypatch.setattr("ctypes.CDLL", NoSuchCall)
    (tmp_path / "source").write_text("bad rows")
    (tmp_path / "taken").write_text("older")
    with pytest.raises(FileExistsError):
        files.rename_new(tmp_path, "source", "taken")
    files.rename_new(tmp_path, "source", "free")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["free", "taken"]


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="needs a second file system")  # noqa: S108
def test_a_rename_to_another_file_system_is_an_error_and_copies_nothing(tmp_path: Path) -> None:
    elsewhere = Path("/dev/shm")  # noqa: S108 - a second file system
    if elsewhere.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("one file system")
    (tmp_path / "source").write_text("bad rows")
    target = elsewhere / f"distill-test-{os.getpid()}"
    source, folder = os.open(tmp_path, os.O_RDONLY), os.open(elsewhere, os.O_RDONLY)
    try:
        with pytest.raises(OSError) as caught:  # noqa: PT011 - the number is looked at
            disk.operations.rename_new("source", target.name, source_in=source, target_in=folder)
    finally:
        os.close(source)
        os.close(folder)
    assert caught.value.errno == errno.EXDEV
    assert not target.exists()
    assert (tmp_path / "source").read_text() == "bad rows"
