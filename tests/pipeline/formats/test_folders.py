"""A format is a folder: a file a split, a README, receipts elsewhere. A file appears whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import importlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pytest
from pyarrow import parquet

from pipeline.contracts import paths
from pipeline.contracts.faults import InputError, IntegrityError, StorageError
from pipeline.engine.export_manifest import void
from pipeline.firewall.formatted import survey
from pipeline.formats import command
from pipeline.formats.command import Written, run_formats
from pipeline.formats.registry import FORMATS
from pipeline.platform import disk
from pipeline.settings.load import load_settings
from tests.faulty_disk import FaultyDisk
from tests.pipeline.engine.workspaces import rows


def write(workspace: Path, *names: str) -> list[Written]:
    return run_formats(workspace, names, load_settings(workspace).settings.export)


def folder(workspace: Path, name: str) -> Path:
    return workspace / paths.FORMATTED / name


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def receipt(workspace: Path, name: str, file: str) -> dict[str, Any]:
    path = workspace / paths.FORMAT_RECEIPTS / name / f"{file}.receipt.json"
    read: dict[str, Any] = orjson.loads(path.read_bytes())
    return read


def decoded(table: Any) -> list[dict[str, Any]]:
    """Rows as a loader that knows the JSON type gives them."""
    messages = ("messages", "prompt", "chosen", "rejected", "completion")
    return [
        {
            name: [orjson.loads(text) for text in value] if name in messages else value
            for name, value in row.items()
        }
        for row in table.to_pylist()
    ]


def every_file(workspace: Path) -> dict[str, str]:
    return {
        path.relative_to(workspace).as_posix(): sha256(path)
        for top in (paths.FORMATTED, paths.FORMAT_RECEIPTS)
        for path in sorted((workspace / top).rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("name", FORMATS)
def test_a_folder_holds_a_file_a_split_and_its_readme(workspace: Path, name: str) -> None:
    write(workspace, name)
    beside = {"dataset_info.json"} if FORMATS[name].beside else set()
    names = {path.name for path in folder(workspace, name).iterdir()}
    assert names == {"train.parquet", "validation.parquet", "README.md"} | beside
    for file in names - {"README.md"}:
        claimed = receipt(workspace, name, file)["output"]
        path = folder(workspace, name) / file
        assert (claimed["sha256"], claimed["bytes"]) == (sha256(path), path.stat().st_size)


@pytest.mark.parametrize("name", FORMATS)
def test_parquet_and_lines_say_the_same(workspace: Path, name: str) -> None:
    """Every column is written whatever a row has; no row has a member that no column holds."""
    splits = ("train", "validation")
    write(workspace, name)
    tables = {split: parquet.read_table(folder(workspace, name) / f"{split}.parquet") for split in splits}
    claimed = {split: receipt(workspace, name, f"{split}.parquet")["output"]["rows"] for split in splits}
    write(workspace, f"{name}:jsonl")
    for split, table in tables.items():
        lines = [
            orjson.loads(line)
            for line in (folder(workspace, name) / f"{split}.jsonl").read_bytes().splitlines()
        ]
        assert table.schema.names == list(FORMATS[name].all_columns)
        assert table.num_rows == len(lines) > 0
        assert {key for line in lines for key in line} <= set(table.schema.names)
        assert claimed[split] == len(lines)


def test_arguments_are_the_objects_that_the_model_wrote(workspace: Path) -> None:
    """Null inside an argument stays, a member that a turn does not have is not there."""
    write(workspace, "trl-conversational")
    files = sorted(folder(workspace, "trl-conversational").glob("*.parquet"))
    table = pa.concat_tables([parquet.read_table(file) for file in files])
    assert str(table.schema.field("messages").type) == "list<element: extension<arrow.json>>"
    read = {row["messages"][0]["content"]: row for row in decoded(table)}
    call = read["How is node 3?"]["messages"][1]
    assert call["tool_calls"][0]["function"]["arguments"] == {"node": 3, "deep": None}
    assert "tool_calls" not in read["How is node 3?"]["messages"][0]
    assert "look" in read["How is node 3?"]["tools"]
    assert read["What is a?"]["tools"] is None


def test_each_row_of_the_export_is_written_or_refused(workspace: Path) -> None:
    for written in write(workspace, *FORMATS):
        if written.asked.format.source == "labelled":
            continue
        claimed = [each["output"]["rows"] for each in written.receipts]
        source = written.receipts[0]["source"]
        assert source["rows"] == sum(claimed) + sum(written.files.refused.values())
        assert source["sha256"] == sha256(workspace / source["path"])


def test_rows_are_in_the_file_of_their_split(workspace: Path) -> None:
    write(workspace, "trl-conversational")
    split_of = {row["id"]: row["split"] for row in rows(workspace, paths.SFT_EXPORT)}
    assert set(split_of.values()) == {"train", "validation"}
    for split in ("train", "validation"):
        table = parquet.read_table(folder(workspace, "trl-conversational") / f"{split}.parquet")
        assert {split_of[row_id] for row_id in table["id"].to_pylist()} == {split}


def test_the_same_export_gives_the_same_bytes(workspace: Path) -> None:
    write(workspace, *FORMATS)
    before = every_file(workspace)
    write(workspace, *FORMATS)
    assert every_file(workspace) == before
    assert len(before) > 3 * len(FORMATS)


def test_a_split_without_rows_is_left_out_and_an_old_file_goes(workspace: Path) -> None:
    """A loader fails on an empty file; what stood there may stand in the other split now."""
    write(workspace, "trl-conversational", "llama-factory")
    settings = workspace / "distill.toml"
    settings.write_text(settings.read_text().replace("validation_share = 0.3", "validation_share = 0.0"))
    from tests.pipeline.engine.workspaces import run_all

    run_all(workspace, "--workers", "1")
    write(workspace, "trl-conversational", "llama-factory")
    for name in ("trl-conversational", "llama-factory"):
        assert not (folder(workspace, name) / "validation.parquet").exists()
        assert not (workspace / paths.FORMAT_RECEIPTS / name / "validation.parquet.receipt.json").exists()
    info = orjson.loads((folder(workspace, "llama-factory") / "dataset_info.json").read_bytes())
    assert list(info) == ["train"]


def test_the_readme_gives_the_recipe_with_a_length_that_holds_the_rows(workspace: Path) -> None:
    (written,) = write(workspace, "trl-conversational")
    text = (folder(workspace, "trl-conversational") / "README.md").read_text()
    assert "assistant_only_loss=True" in text
    assert "packing=False" in text
    assert "max_length=1024" in text
    assert f"longest {max(written.files.tokens)}" in text


def test_the_folders_with_rejected_answers_say_that_they_are_for_kto(workspace: Path) -> None:
    write(workspace, *FORMATS)
    for name, entry in FORMATS.items():
        text = (folder(workspace, name) / "README.md").read_text()
        assert ("**For KTO only.**" in text) == entry.has_rejected_answers


@pytest.mark.parametrize("name", ["trl-conversational", "trl-preference", "trl-unpaired"])
def test_what_a_run_did_not_write_is_not_formatted(workspace: Path, name: str) -> None:
    write(workspace, name)
    before = every_file(workspace)
    changed = {
        "sft": paths.SFT_EXPORT,
        "preference": paths.PREFERENCE_EXPORT,
        "labelled": paths.evidence_file("runs"),
    }[FORMATS[name].source]
    path = workspace / changed
    path.write_bytes(path.read_bytes().replace(b"right a", b"right z"))
    with pytest.raises(IntegrityError):
        write(workspace, name)
    assert every_file(workspace) == before


def test_a_void_or_missing_manifest_makes_no_format(workspace: Path) -> None:
    void(workspace, "a test")
    with pytest.raises(IntegrityError) as caught:
        write(workspace, "trl-preference")
    assert caught.value.fault.code == "export_void"
    (workspace / paths.EXPORT_MANIFEST).unlink()
    with pytest.raises(InputError):
        write(workspace, "trl-preference")
    assert not (workspace / paths.FORMATTED).exists()


def test_a_link_in_the_place_of_a_file_is_not_written_through(workspace: Path, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.mkdir()
    (workspace / paths.FORMATTED).mkdir()
    folder(workspace, "trl-preference").symlink_to(target)
    with pytest.raises(StorageError):
        write(workspace, "trl-preference")
    assert list(target.iterdir()) == []


@pytest.mark.parametrize("kind", ["", ":jsonl"])
def test_a_full_disk_leaves_the_last_file_or_the_new_one_whole(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    name = "trl-preference-text"
    file = folder(workspace, name) / f"train.{kind[1:] or 'parquet'}"
    write(workspace, f"{name}{kind}")
    new = file.read_bytes()
    file.write_bytes(b"old")
    codes: set[str] = set()
    number = 0
    for number in range(1, 60):
        failing = FaultyDisk(number, errno.ENOSPC, kinds=frozenset(("write", "fsync", "replace")))
        monkeypatch.setattr(disk, "operations", failing)
        try:
            write(workspace, f"{name}{kind}")
        except StorageError as error:
            codes.add(error.fault.code)
        assert file.read_bytes() in (b"old", new)
        assert not list(folder(workspace, name).glob(".*"))
        if failing.count < number:
            break
    assert number > 5
    assert codes == {"disk_full"}
    assert file.read_bytes() == new


@pytest.mark.parametrize("for_good", [False, True], ids=["once", "full"])
def test_whenever_it_is_cut_off_each_file_has_its_receipt(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, *, for_good: bool
) -> None:
    """Else the firewall calls a file of ours nobody's, and nobody may write any format again."""
    write(workspace, "llama-factory", "trl-conversational")
    export = sha256(workspace / paths.SFT_EXPORT)
    monkeypatch.setattr(command, "_scanned_sha256", lambda _: export)  # a process each: it only takes time
    for number in range(1, 200):
        for file in loaded(workspace):
            outdate(workspace, file)
        operations = FaultyDisk(number, errno.ENOSPC, for_good=for_good)
        with monkeypatch.context() as patch:
            patch.setattr(disk, "operations", operations)
            with suppress(StorageError):
                write(workspace, "llama-factory", "trl-conversational")
        assert [each for each in survey(workspace, export) if each.is_unaccounted] == [], number
        if not operations.failed:
            break
    assert number > 40


def loaded(workspace: Path) -> list[Path]:
    """The files of formats that a receipt accounts for."""
    files = (workspace / paths.FORMATTED).rglob("*.*")
    return [
        file for file in files if file.suffix in (".parquet", ".json", ".jsonl") and _receipt(file).exists()
    ]


def outdate(workspace: Path, file: Path) -> None:
    """Put other bytes there, with their receipt, as an earlier export would have left them."""
    file.write_bytes(b"{}\n")
    known = orjson.loads(_receipt(file).read_bytes())
    known["output"]["sha256"] = sha256(file)
    known.pop("standing", None)
    _receipt(file).write_bytes(orjson.dumps(known))


def _receipt(file: Path) -> Path:
    if file.parent.name == paths.FORMATTED.name:
        return file.with_name(f"{file.name}.receipt.json")
    exports = file.parents[2]
    return exports / paths.FORMAT_RECEIPTS.name / file.parent.name / f"{file.name}.receipt.json"


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
@pytest.mark.parametrize("name", FORMATS)
def test_the_head_of_the_readme_names_the_files_and_of_lines_the_types(
    workspace: Path, name: str, kind: str
) -> None:
    write(workspace, f"{name}:{kind}")
    _, head, _ = (folder(workspace, name) / "README.md").read_text().split("---\n", 2)
    said = importlib.import_module("yaml").safe_load(head)
    files = [{"split": split, "path": f"{split}.{kind}"} for split in ("train", "validation")]
    assert said["configs"] == [{"config_name": "default", "data_files": files}]
    if kind == "parquet":
        assert said.keys() == {"configs"}  # its types are in the file
        return
    stated = {each["name"]: each for each in said["dataset_info"]["features"]}
    assert list(stated) == list(FORMATS[name].all_columns)
    for line in (folder(workspace, name) / "train.jsonl").read_text().splitlines():
        for member, value in json.loads(line).items():
            assert_of_type(value, stated[member])


def assert_of_type(value: Any, stated: Any) -> None:
    types = {"string": str, "float64": int | float, "bool": bool, "json": object}
    if value is None:
        return
    if "list" in stated:
        inner = {"dtype": stated["list"]} if isinstance(stated["list"], str) else {"struct": stated["list"]}
        for each in value:
            assert_of_type(each, inner)
    elif "struct" in stated:
        members = {each["name"]: each for each in stated["struct"]}
        assert value.keys() <= members.keys()
        for member, inner_value in value.items():
            assert_of_type(inner_value, members[member])
    else:
        assert isinstance(value, types[stated["dtype"]])
