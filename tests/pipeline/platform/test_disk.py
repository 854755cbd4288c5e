"""The one hand that writes: private folders, whole files, lines that never fuse, and no link out."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.contracts.faults import StorageError
from pipeline.platform import confined, disk, disk_faults
from pipeline.platform.confined import refuse_link, refuse_links
from tests.faulty_disk import FaultyDisk, ShortWrites


@pytest.fixture(params=[0o000, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_whatever_the_umask_folders_and_files_are_the_operators_alone(tmp_path: Path) -> None:
    disk.write_file(tmp_path / "a" / "b" / "file", b"data")
    disk.append_line(tmp_path / "c" / "d" / "journal", b"line\n")
    folders = [path for path in tmp_path.rglob("*") if path.is_dir()]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [len(folders), len(files)] == [4, 2]
    assert {path.stat().st_mode & 0o777 for path in folders} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def test_a_journal_cut_at_every_byte_of_its_last_record_stays_readable(tmp_path: Path) -> None:
    records = [f'{{"number":{number},"text":"grüße"}}'.encode() for number in (1, 2, 3)]
    earlier, last = b"".join(record + b"\n" for record in records[:2]), records[2] + b"\n"
    for cut in range(len(last) + 1):
        journal = tmp_path / f"cut-{cut}.jsonl"
        journal.write_bytes(earlier + last[:cut])
        disk.append_line(journal, b'{"number":4}\n')
        lines = journal.read_bytes().split(b"\n")
        assert lines[:2] == records[:2]
        assert lines[-2:] == [b'{"number":4}', b""]
        # The piece is a line of its own, whole where only its line end was missing.
        assert lines[2:-2] == ([last[:cut].rstrip(b"\n")] if cut else [])


@pytest.mark.parametrize("name", ["exists", "new"])
def test_a_link_is_not_appended_through(tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    if name == "exists":
        outside.write_bytes(b"mine\n")
    (tmp_path / "journal").symlink_to(outside)
    with pytest.raises(StorageError):
        disk.append_line(tmp_path / "journal", b"line\n")
    assert not outside.exists() or outside.read_bytes() == b"mine\n"


def test_a_planted_temporary_name_is_not_written_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"mine")
    monkeypatch.setattr(disk, "random_part", lambda: "0123")
    (tmp_path / ".file.0123.tmp").symlink_to(outside)
    with pytest.raises(StorageError):
        disk.write_file(tmp_path / "file", b"data")
    assert outside.read_bytes() == b"mine"
    assert not (tmp_path / "file").exists()


def test_a_link_is_replaced_and_its_target_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("keep")
    (tmp_path / "m.prom").symlink_to(tmp_path / "target")
    disk.write_file(tmp_path / "m.prom", b"new")
    assert (tmp_path / "target").read_text() == "keep"
    assert not (tmp_path / "m.prom").is_symlink()


def test_a_collector_sees_no_half_written_file(tmp_path: Path) -> None:
    with disk.replacing(tmp_path / "m.prom") as descriptor:
        disk.write_all(descriptor, b"x")
        assert [path.suffix for path in tmp_path.iterdir()] == [".tmp"]
    assert [path.name for path in tmp_path.iterdir()] == ["m.prom"]


def test_a_line_that_was_half_written_is_cut_off_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "journal").write_bytes(b"one\n")
    for kind in ("write", "fsync"):
        monkeypatch.setattr(disk, "operations", FaultyDisk(1, errno.ENOSPC, kinds=frozenset((kind,))))
        with pytest.raises(StorageError, match="No space left"):
            disk.append_line(tmp_path / "journal", b"two\n")
        assert (tmp_path / "journal").read_bytes() == b"one\n"


def test_a_rename_that_was_not_synced_is_told_as_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"old")
    monkeypatch.setattr(disk, "operations", FaultyDisk(2, errno.EIO, kinds=frozenset(("fsync",))))
    with pytest.raises(StorageError) as caught:
        disk.write_file(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"new"
    assert caught.value.fault.kept_safe.startswith("The new file is in place")


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "operations", ShortWrites())
    disk.write_file(tmp_path / "file", b"all of it")
    assert (tmp_path / "file").read_bytes() == b"all of it"


@pytest.mark.parametrize("kind", ["write", "fsync", "replace"])
def test_a_refused_write_leaves_the_old_file_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    (tmp_path / "file").write_bytes(b"old")
    monkeypatch.setattr(disk, "operations", FaultyDisk(1, errno.ENOSPC, kinds=frozenset((kind,))))
    with pytest.raises(StorageError, match="No space left") as caught:
        disk.write_file(tmp_path / "file", b"new")
    assert caught.value.fault.code == "disk_full"
    assert (tmp_path / "file").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_cannot_be_made_is_a_fault_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "operations", FaultyDisk(1, errno.ENOSPC, kinds=frozenset(("mkdir",))))
    with pytest.raises(StorageError, match="a could not be written"):
        disk.make_folder(tmp_path / "a")


@pytest.mark.parametrize("at", ["open", "read"])
def test_a_file_that_cannot_be_read_while_another_is_written_is_told_as_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    (tmp_path / "export").write_bytes(b"rows")

    def refuses(*_: object, **__: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    truly = os.open

    def refuses_the_export(name: object, *rest: Any, **more: Any) -> int:
        return refuses() if name == "export" else truly(name, *rest, **more)  # type: ignore[arg-type]

    def read() -> bytes:
        with confined.opened(tmp_path, "export") as source:
            monkeypatch.setattr(os, "read", refuses)
            return disk.read_some(source, 10, tmp_path / "export")

    if at == "open":
        monkeypatch.setattr(os, "open", refuses_the_export)
    with pytest.raises(OSError, match="Permission denied") as caught:
        read()
    monkeypatch.undo()
    fault = disk_faults.storage_fault(caught.value, tmp_path / "copy").fault
    assert fault.what_happened == f"{tmp_path}/export could not be read: Permission denied."
    assert (fault.file, fault.code) == (str(tmp_path / "export"), "no_permission")
    assert "read permission" in fault.do_next


def test_a_file_where_a_folder_should_be_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(StorageError):
        disk.make_folder(tmp_path / "a" / "b")


# No link leads a write out of the workspace


@pytest.mark.parametrize("link", ["a", "a/b", "a/b/file"])
def test_a_link_at_any_component_is_refused_and_named(tmp_path: Path, link: str) -> None:
    workspace, outside = tmp_path / "w", tmp_path / "outside"
    outside.mkdir()
    (workspace / link).parent.mkdir(parents=True)
    (workspace / link).symlink_to(outside)
    with pytest.raises(StorageError) as caught:
        refuse_links(workspace, ["other", "a/b/file"])
    assert caught.value.fault.code == "link_in_the_way"
    assert caught.value.fault.file == str(workspace / link)


def test_a_dangling_link_and_one_within_the_workspace_are_refused_as_well(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "inner").symlink_to(tmp_path / "there")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    for name in ("inner", "dangling"):
        with pytest.raises(StorageError):
            refuse_links(tmp_path, [f"{name}/file"])
        with pytest.raises(StorageError):
            refuse_link(tmp_path / name)


def test_a_workspace_that_is_itself_reached_by_a_link_is_fine(tmp_path: Path) -> None:
    (tmp_path / "real" / "a").mkdir(parents=True)
    (tmp_path / "w").symlink_to(tmp_path / "real")
    refuse_links(tmp_path / "w", ["a/b", "not/there/yet"])
    refuse_link(tmp_path / "w" / "a")


def test_control_characters_in_a_link_do_not_reach_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("elsewhere/\x1b[2J")
    with pytest.raises(StorageError) as caught:
        refuse_links(tmp_path, ["a"])
    assert "\x1b" not in caught.value.fault.what_happened
