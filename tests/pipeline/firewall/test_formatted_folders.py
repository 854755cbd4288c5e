"""Folders that trainers load: each file in them is accounted for by its own receipt, which lies elsewhere."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.contracts import paths
from pipeline.firewall.formatted import FormattedFile, survey

ROWS = b"rows"
SFT = "1" * 64


def put(root: Path, name: str, data: bytes = ROWS) -> str:
    path = root / paths.FORMATTED / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return f"{paths.FORMATTED}/{name}"


def account(root: Path, name: str, **changes: Any) -> None:
    path = root / paths.FORMAT_RECEIPTS / f"{name}.receipt.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    output = {"path": f"{paths.FORMATTED}/{name}", "sha256": hashlib.sha256(ROWS).hexdigest()}
    receipt = {"export": "sft", "source": {"sha256": SFT}, "output": output, **changes}
    path.write_text(json.dumps(receipt))


def only(root: Path) -> FormattedFile:
    (found,) = survey(root, SFT)
    return found


def test_a_file_that_its_receipt_names_is_accounted_for(tmp_path: Path) -> None:
    name = put(tmp_path, "axolotl/train.parquet")
    account(tmp_path, "axolotl/train.parquet")
    assert only(tmp_path) == FormattedFile(name, "accounted")


def test_a_file_without_a_receipt_or_with_other_bytes_is_not(tmp_path: Path) -> None:
    put(tmp_path, "axolotl/train.parquet", b"others")
    assert only(tmp_path).is_unaccounted
    account(tmp_path, "axolotl/train.parquet")
    assert only(tmp_path).detail == "this formatted file is not the one in its receipt"


def test_the_receipt_of_another_file_does_not_count(tmp_path: Path) -> None:
    put(tmp_path, "axolotl/train.parquet")
    account(
        tmp_path,
        "axolotl/train.parquet",
        output={
            "path": "exports/formatted/chat-jsonl/train.parquet",
            "sha256": hashlib.sha256(ROWS).hexdigest(),
        },
    )
    assert only(tmp_path).detail == "its receipt is that of another file"


@pytest.mark.parametrize("folder", ["trl-unpaired", "trl-unpaired-text", "llama-factory-kto"])
def test_rejected_answers_may_stand_in_the_folders_for_kto(tmp_path: Path, folder: str) -> None:
    put(tmp_path, f"{folder}/train.parquet")
    account(tmp_path, f"{folder}/train.parquet", export="labelled")
    assert only(tmp_path).state == "accounted"


@pytest.mark.parametrize("folder", ["trl-conversational", "trl-unpaired-2", "Trl-unpaired"])
@pytest.mark.parametrize("export", ["labelled", None, "rejected"])
def test_and_in_no_other(tmp_path: Path, folder: str, export: str | None) -> None:
    put(tmp_path, f"{folder}/train.parquet")
    account(tmp_path, f"{folder}/train.parquet", export=export)
    assert only(tmp_path).is_unaccounted


def test_a_single_file_of_labelled_runs_is_a_finding(tmp_path: Path) -> None:
    put(tmp_path, "sft.trl-unpaired.jsonl")
    account(tmp_path, "sft.trl-unpaired.jsonl", export="labelled")
    beside = tmp_path / paths.FORMATTED / "sft.trl-unpaired.jsonl.receipt.json"
    (tmp_path / paths.FORMAT_RECEIPTS / "sft.trl-unpaired.jsonl.receipt.json").rename(beside)
    assert only(tmp_path).is_unaccounted


def test_a_file_of_another_export_is_out_of_date(tmp_path: Path) -> None:
    put(tmp_path, "axolotl/train.parquet")
    account(tmp_path, "axolotl/train.parquet", source={"sha256": "2" * 64})
    assert only(tmp_path).state == "out_of_date"


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("train.parquet", True),
        ("extra.JSONL", True),
        ("more.json.gz", True),
        ("notes.txt.zst", True),
        ("rows.csv", True),
        ("README.md", False),
        ("picture.png", False),
    ],
)
def test_what_a_loader_reads_counts(tmp_path: Path, name: str, counts: bool) -> None:
    put(tmp_path, f"axolotl/deep/{name}")
    assert len(survey(tmp_path, SFT)) == counts


@pytest.mark.parametrize("name", [".train.parquet.tmp", "train.parquet.QUARANTINED-17"])
def test_what_a_writer_or_a_quarantine_left_does_not(tmp_path: Path, name: str) -> None:
    put(tmp_path, f"axolotl/{name}")
    assert survey(tmp_path, SFT) == []


def test_what_a_format_writes_is_accounted_for(workspace_with_formats: Path) -> None:
    files = survey(workspace_with_formats, None)
    assert {file.state for file in files} == {"accounted"}
    assert any(file.file.endswith("llama-factory/dataset_info.json") for file in files)
    assert len(files) > 35


@pytest.fixture
def workspace_with_formats(tmp_path: Path) -> Path:
    from pipeline.formats.command import run_formats
    from pipeline.formats.registry import FORMATS
    from pipeline.settings.load import load_settings
    from tests.pipeline.engine.workspaces import encoded, make_workspace, run_all
    from tests.pipeline.formats.conftest import SETTINGS, chats, runs

    sources = {"runs.jsonl": encoded(runs()), "chats.jsonl": encoded(chats())}
    workspace = make_workspace(tmp_path / "w", sources, SETTINGS)
    run_all(workspace, "--workers", "1")
    run_formats(workspace, list(FORMATS), load_settings(workspace).settings.export)
    return workspace
