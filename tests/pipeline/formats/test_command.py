"""``distill export --format``: which names it knows, what it prints, and that it never formats a breach."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path, PurePosixPath

import orjson
import pytest

from pipeline.commands.context import CommandContext
from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode, IntegrityError, OperatorError, SettingsError
from pipeline.formats.command import write_formats
from pipeline.formats.registry import FORMATS
from pipeline.settings.model import ExportSettings
from tests.pipeline.formats.test_folders import folder, write


def test_each_format_is_written_once_in_the_order_given(workspace: Path) -> None:
    written = write(workspace, "trl-unpaired", "chat-jsonl:jsonl", "trl-unpaired:parquet")
    asked = [(each.asked.format.name, each.asked.kind) for each in written]
    assert asked == [("trl-unpaired", "parquet"), ("chat-jsonl", "jsonl")]


def test_two_kinds_of_files_for_one_folder_are_refused(workspace: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        write(workspace, "chat-jsonl", "chat-jsonl:jsonl")
    assert caught.value.fault.code == "two_kinds_of_files"
    assert not (workspace / paths.FORMATTED).exists()


def test_files_of_the_other_kind_go_and_it_is_said(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A loader that finds both reads neither. What no receipt names is not ours to take."""
    context = CommandContext(directory=str(workspace))
    write(workspace, "trl-preference")
    receipts = workspace / paths.FORMAT_RECEIPTS / "trl-preference"
    (receipts / "validation.parquet.receipt.json").unlink()
    assert write_formats(context, ["trl-preference:jsonl"], ExportSettings) == ExitCode.OK
    assert "train.parquet went, since no loader takes" in capsys.readouterr().err
    assert {path.name for path in folder(workspace, "trl-preference").iterdir()} == {
        "train.jsonl",
        "validation.jsonl",
        "validation.parquet",
        "README.md",
    }
    assert sorted(path.name for path in receipts.iterdir()) == [
        "train.jsonl.receipt.json",
        "validation.jsonl.receipt.json",
    ]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("trl-unpared", 'Nearest: "trl-unpaired".'),
        ("chat-jsonl:csv", 'There is no kind of file "csv"'),
    ],
)
def test_an_unknown_name_writes_nothing_and_names_the_nearest(workspace: Path, name: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        write(workspace, "chat-jsonl", name)
    assert said in caught.value.fault.what_happened
    assert not (workspace / paths.FORMATTED).exists()


def test_an_export_with_a_forbidden_row_is_not_formatted(workspace: Path) -> None:
    path = workspace / paths.SFT_EXPORT
    path.write_bytes(path.read_bytes().replace(b'"accepted"', b'"rejected"', 1))
    with pytest.raises(OperatorError) as caught:
        write(workspace, "chat-jsonl")
    assert caught.value.exit_code == ExitCode.FIREWALL_BREACH
    assert not (workspace / paths.FORMATTED).exists()


def test_a_refusal_names_the_file_that_is_amiss(workspace: Path) -> None:
    write(workspace, "axolotl:jsonl")
    forged = paths.FORMATTED / "axolotl/train.jsonl"
    (workspace / forged).write_bytes((workspace / forged).read_bytes() + b"{}\n")
    with pytest.raises(OperatorError) as caught:
        write(workspace, "chat-jsonl")
    assert caught.value.exit_code == ExitCode.FIREWALL_BREACH
    assert caught.value.fault.file == str(forged)
    assert str(forged) in caught.value.fault.what_happened
    assert not (workspace / paths.FORMATTED / "chat-jsonl").exists()


@pytest.mark.parametrize("receipt", ["stands", "is gone"])
@pytest.mark.parametrize(
    ("name", "export", "said"),
    [
        ("trl-preference", paths.PREFERENCE_EXPORT, "right a"),
        ("chat-jsonl", paths.SFT_EXPORT, '"sig_hash":"'),
    ],
)
def test_bytes_that_the_manifest_alone_names_are_not_formatted(
    workspace: Path, name: str, export: PurePosixPath, said: str, receipt: str
) -> None:
    path, manifest_path = workspace / export, workspace / paths.EXPORT_MANIFEST
    path.write_bytes(path.read_bytes().replace(said.encode(), said.encode() + b"INVENTED", 1))
    manifest = orjson.loads(manifest_path.read_bytes())
    for entry in manifest["files"]:
        data = (workspace / paths.EXPORTS / entry["path"]).read_bytes()
        entry |= {"bytes": len(data), "sha256": sha256(data).hexdigest()}
    manifest_path.write_bytes(orjson.dumps(manifest))
    if receipt == "is gone":
        (workspace / paths.receipts_folder(manifest["pipeline_run_id"]) / "export.json").unlink()
    with pytest.raises(IntegrityError) as caught:
        write(workspace, name)
    assert caught.value.fault.code == "export_changed"
    assert not list((workspace / paths.FORMATTED).rglob("*.parquet"))


def test_the_card_of_a_pipe_in_place_of_an_export_keeps_nobody_waiting(workspace: Path) -> None:
    from tests.pipeline.engine.workspaces import engine

    (workspace / paths.PREFERENCE_EXPORT).unlink()
    os.mkfifo(workspace / paths.PREFERENCE_EXPORT)
    ended = engine(workspace, "card")
    assert ended.returncode == ExitCode.NOT_EVALUABLE
    assert f"{paths.PREFERENCE_EXPORT} cannot be read: it is no plain file" in ended.stderr


def test_an_export_that_the_firewall_cannot_judge_is_not_formatted(workspace: Path) -> None:
    (workspace / paths.SFT_EXPORT).unlink()
    with pytest.raises(OperatorError) as caught:
        write(workspace, "chat-jsonl")
    assert caught.value.fault.code == "firewall_not_evaluable"


def test_the_command_prints_files_lengths_and_warnings(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    context = CommandContext(directory=str(workspace))
    assert write_formats(context, ["trl-unpaired"], ExportSettings) == ExitCode.OK
    told = capsys.readouterr()
    assert told.out.startswith("exports/formatted/trl-unpaired/train.parquet  ")
    assert "for KTO only" in told.err
    assert "max_length 1,024" in told.err
    assert "preference.trl-unpaired.jsonl is the file of before" in told.err
    context.json = True
    assert write_formats(context, ["trl-unpaired"], ExportSettings) == ExitCode.OK
    assert {receipt["format"] for receipt in orjson.loads(capsys.readouterr().out)} == {"trl-unpaired"}


def test_a_format_that_no_row_fits_says_so(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = workspace / "distill.toml"
    settings.write_text(settings.read_text().replace('name = "runs"', 'exports = ["rag"]\nname = "runs"'))
    from tests.pipeline.engine.workspaces import run_all

    run_all(workspace, "--workers", "1", "--allow-shrink")
    assert (
        write_formats(
            CommandContext(directory=str(workspace)), ["trl-prompt-completion:jsonl"], ExportSettings
        )
        == 0
    )
    assert "no row fits this format" in capsys.readouterr().err
    assert [path.name for path in folder(workspace, "trl-prompt-completion").iterdir()] == ["README.md"]


def test_help_lists_every_format_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert write_formats(CommandContext(directory=str(tmp_path)), ["help"], ExportSettings) == ExitCode.OK
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(FORMATS)
    assert list(tmp_path.iterdir()) == []


def test_the_card_maps_the_files_of_folders_to_their_splits(workspace: Path) -> None:
    from tests.pipeline.engine.workspaces import engine

    write(workspace, "trl-conversational", "trl-unpaired")
    stray = folder(workspace, "trl-conversational") / "validation.parquet"
    stray.write_bytes(stray.read_bytes() + b"x")
    assert engine(workspace, "card").returncode == ExitCode.OK
    card = (workspace / paths.DATASET_CARD).read_text()
    assert "- config_name: sft.trl-conversational\n" in card
    assert "path: formatted/trl-conversational/train.parquet" in card
    assert "trl-conversational/validation.parquet" not in card, "no receipt accounts for it"
    assert "path: formatted/trl-unpaired/validation.parquet" in card
    assert "**For KTO only:** `trl-unpaired`" in card
