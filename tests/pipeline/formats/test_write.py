"""A formatted file appears whole with its receipt, or the last one stays."""

from __future__ import annotations

import errno
import hashlib
from pathlib import Path
from typing import Any

import orjson
import pytest

from pipeline.contracts import paths
from pipeline.contracts.faults import InputError, IntegrityError, StorageError
from pipeline.formats.rows import FORMATS
from pipeline.formats.write import CANONICAL, RECEIPT_SUFFIX, formatted_file, write_formatted
from pipeline.platform import disk
from pipeline.schemas.golden_rows import GOLDEN_FOLDER
from pipeline.schemas.migrations import upgrade
from tests.faulty_disk import FaultyDisk
from tests.pipeline.formats.test_rows import CHAT, FLAT

FORMAT = FORMATS["trl-prompt-completion"]
OUTPUT = formatted_file(FORMAT)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    path = tmp_path / paths.SFT_EXPORT
    path.parent.mkdir(parents=True)
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in (FLAT, CHAT)))
    return tmp_path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_receipt_accounts_for_both_files_and_for_every_row(workspace: Path) -> None:
    receipt = write_formatted(workspace, FORMAT)
    output = workspace / OUTPUT
    assert receipt == {
        "schema_version": 1,
        "format": "trl-prompt-completion",
        "export": "sft",
        "source": {
            "path": str(paths.SFT_EXPORT),
            "bytes": (workspace / paths.SFT_EXPORT).stat().st_size,
            "rows": 2,
            "sha256": sha256(workspace / paths.SFT_EXPORT),
        },
        "output": {"path": OUTPUT, "bytes": output.stat().st_size, "rows": 1, "sha256": sha256(output)},
        "refused": {"needs_messages": 1},
    }
    assert orjson.loads((workspace / (OUTPUT + RECEIPT_SUFFIX)).read_bytes()) == receipt


@pytest.mark.parametrize("export", ["sft", "preference"])
def test_rows_of_version_1_are_written_as_those_of_today(tmp_path: Path, export: str) -> None:
    lines = (GOLDEN_FOLDER / export / "version-1.jsonl").read_bytes().splitlines()
    lifted = [upgrade(export, orjson.loads(line)) for line in lines]
    for folder, rows in (("old", [orjson.loads(line) for line in lines]), ("new", lifted)):
        path = tmp_path / folder / CANONICAL[export]
        path.parent.mkdir(parents=True)
        path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
        for format_ in FORMATS.values():
            if format_.export == export:
                write_formatted(tmp_path / folder, format_)
    old, new = (sorted((tmp_path / folder / paths.FORMATTED).glob("*.jsonl")) for folder in ("old", "new"))
    assert old
    assert [path.read_bytes() for path in old] == [path.read_bytes() for path in new]
    assert any(path.stat().st_size for path in old)


def test_a_row_of_neither_version_is_a_fault_and_leaves_the_last_file(workspace: Path) -> None:
    write_formatted(workspace, FORMAT)
    before = (workspace / OUTPUT).read_bytes()
    with (workspace / paths.SFT_EXPORT).open("ab") as file:
        file.write(b'{"id":"sft-0","messages":[{"role":"user"}]}\n')
    with pytest.raises(IntegrityError, match="line 3 is not a row"):
        write_formatted(workspace, FORMAT)
    assert (workspace / OUTPUT).read_bytes() == before


def test_the_same_export_gives_the_same_bytes(workspace: Path) -> None:
    write_formatted(workspace, FORMAT)
    before = [(path.name, sha256(path)) for path in sorted((workspace / paths.FORMATTED).iterdir())]
    write_formatted(workspace, FORMAT)
    after = [(path.name, sha256(path)) for path in sorted((workspace / paths.FORMATTED).iterdir())]
    assert before == after
    assert len(after) == 2


def test_without_an_export_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        write_formatted(tmp_path, FORMAT)
    assert caught.value.fault.code == "no_export"
    assert list((tmp_path / paths.FORMATTED).iterdir()) == []


@pytest.mark.parametrize("line", [b"{", b"[]\n", b'{"messages": null}\n'])
def test_a_line_that_is_no_row_is_named_and_the_last_file_stays(workspace: Path, line: bytes) -> None:
    write_formatted(workspace, FORMAT)
    before = sha256(workspace / OUTPUT)
    with (workspace / paths.SFT_EXPORT).open("ab") as file:
        file.write(line)
    with pytest.raises(IntegrityError) as caught:
        write_formatted(workspace, FORMAT)
    assert caught.value.fault.line == 3
    assert sha256(workspace / OUTPUT) == before
    assert len(list((workspace / paths.FORMATTED).iterdir())) == 2


def test_bytes_that_may_not_be_used_replace_nothing(workspace: Path) -> None:
    write_formatted(workspace, FORMAT)
    before = sha256(workspace / OUTPUT)
    (workspace / paths.SFT_EXPORT).write_bytes(orjson.dumps(CHAT) + b"\n")
    told: list[str] = []

    def refuse(read: str) -> None:
        told.append(read)
        raise PermissionError(errno.EPERM, "not these")

    with pytest.raises(StorageError):
        write_formatted(workspace, FORMAT, refuse)
    assert told == [sha256(workspace / paths.SFT_EXPORT)]
    assert sha256(workspace / OUTPUT) == before


def test_a_full_disk_leaves_the_last_file_or_the_new_one_whole(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_formatted(workspace, FORMAT)
    old = (workspace / OUTPUT).read_bytes()
    with (workspace / paths.SFT_EXPORT).open("ab") as file:
        file.write(orjson.dumps(FLAT) + b"\n")
    whole: set[Any] = {old, old * 2}
    codes: set[str] = set()
    for number in range(1, 30):
        failing = FaultyDisk(number, errno.ENOSPC, kinds=frozenset(("write", "fsync", "replace")))
        monkeypatch.setattr(disk, "operations", failing)
        try:
            write_formatted(workspace, FORMAT)
        except StorageError as error:
            codes.add(error.fault.code)
        assert (workspace / OUTPUT).read_bytes() in whole
        assert not list((workspace / paths.FORMATTED).glob(".*"))
        if failing.count < number:
            break
    assert number > 5
    assert codes == {"disk_full"}
    assert (workspace / OUTPUT).read_bytes() == old * 2
