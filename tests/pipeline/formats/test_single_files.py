"""The single files of before are still written, with the receipts beside them."""

from __future__ import annotations

from pathlib import Path

import orjson

from pipeline.contracts import paths
from pipeline.formats.single_files import SINGLE, single_file
from tests.pipeline.engine.workspaces import rows
from tests.pipeline.formats.test_folders import sha256, write


def test_each_is_accounted_for_by_the_receipt_beside_it(workspace: Path) -> None:
    for written in write(workspace, *SINGLE):
        assert written.single
        for receipt in written.single:
            path = workspace / receipt["output"]["path"]
            assert receipt["output"]["sha256"] == sha256(path)
            assert orjson.loads((path.parent / f"{path.name}.receipt.json").read_bytes()) == receipt


def test_lines_for_people_write_no_single_file(workspace: Path) -> None:
    (written,) = write(workspace, "chat-jsonl:jsonl")
    assert written.single == []
    assert not list((workspace / paths.FORMATTED).glob("*.jsonl"))


def test_rows_keep_the_shapes_that_scripts_know(workspace: Path) -> None:
    write(workspace, *SINGLE)
    completions = rows(workspace, single_file("sft", "trl-prompt-completion"))
    assert {(type(row["prompt"]), type(row["completion"])) for row in completions} == {(str, str)}
    unpaired = rows(workspace, single_file("preference", "trl-unpaired"))
    pairs = rows(workspace, paths.PREFERENCE_EXPORT)
    assert len(unpaired) == 2 * len(pairs)
    assert {row["split"] for row in unpaired} == {"train", "validation"}


def test_a_file_whose_rows_name_no_split_is_one_file_a_split(workspace: Path) -> None:
    write(workspace, "chat-jsonl")
    exported = rows(workspace, paths.SFT_EXPORT)
    for split in ("train", "validation"):
        wanted = [row["messages"][0]["content"] for row in exported if row["split"] == split]
        made = [
            row["messages"][0]["content"] for row in rows(workspace, single_file("sft", "chat-jsonl", split))
        ]
        assert sorted(made) == sorted(wanted)
        assert wanted


def test_what_shows_something_new_leads(workspace: Path) -> None:
    """A loader takes its types from the first block: the call stands in it, whatever came before."""
    write(workspace, "trl-conversational")
    first = rows(workspace, single_file("sft", "trl-conversational"))[:4]
    assert any("tool_calls" in message for row in first for message in row["messages"])
