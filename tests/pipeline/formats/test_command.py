"""``distill export --format``: which names it knows, and that it never formats a breach."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from pipeline.commands.context import CommandContext
from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode, OperatorError, SettingsError
from pipeline.formats.command import run_formats, write_formats
from pipeline.formats.rows import FORMATS
from tests.pipeline.formats.test_rows import FLAT_PAIR
from tests.pipeline.stages.builders import OPTIONS, evidence, scored


def sft_line(run: dict[str, Any]) -> dict[str, Any]:
    from pipeline.stages.export_sft import sft_row

    row = sft_row(run, scored(run), OPTIONS)
    assert isinstance(row, dict)
    return row


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """One accepted run, its SFT row and one pair, as a run would leave them."""
    row = evidence(1, verdict="pass")
    stamp = {"recorded_at": "2026-01-01T00:00:00Z"}
    (tmp_path / paths.SETTINGS).touch()
    for relative, line in (
        (paths.evidence_file("shell"), row),
        (paths.scored_file("shell"), scored(row)),
        (paths.SFT_EXPORT, sft_line(row)),
        (paths.PREFERENCE_EXPORT, FLAT_PAIR),
    ):
        (tmp_path / relative).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / relative).write_bytes(orjson.dumps(line | stamp) + b"\n")
    return tmp_path


def test_each_format_is_written_once_in_the_order_given(workspace: Path) -> None:
    receipts = run_formats(workspace, ["trl-unpaired", "chat-jsonl", "trl-unpaired"])
    assert [receipt["format"] for receipt in receipts] == ["trl-unpaired", "chat-jsonl"]
    assert sorted(path.name for path in (workspace / paths.FORMATTED).glob("*.jsonl")) == [
        "preference.trl-unpaired.jsonl",
        "sft.chat-jsonl.jsonl",
    ]


def split_rows(workspace: Path, *splits: str) -> None:
    runs = [
        evidence(number, verdict="pass", instruction=f"Q{number}") for number in range(1, len(splits) + 1)
    ]
    for relative, lines in (
        (paths.evidence_file("shell"), runs),
        (paths.scored_file("shell"), [scored(run) for run in runs]),
        (
            paths.SFT_EXPORT,
            [sft_line(run) | {"split": split} for run, split in zip(runs, splits, strict=True)],
        ),
    ):
        (workspace / relative).write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))


def instructions(path: Path) -> list[str]:
    return [orjson.loads(line)["messages"][0]["content"] for line in path.read_bytes().splitlines()]


def test_a_format_whose_rows_name_no_split_is_one_file_a_split(workspace: Path) -> None:
    """Whoever trains on the file of a format trains on no validation row."""
    split_rows(workspace, "train", "validation", "train")
    receipts = run_formats(workspace, ["chat-jsonl", "trl-conversational"])
    folder = workspace / paths.FORMATTED
    assert [receipt["output"]["rows"] for receipt in receipts] == [2, 1, 3]
    assert instructions(folder / "sft.chat-jsonl.jsonl") == ["Q1", "Q3"]
    assert instructions(folder / "sft.chat-jsonl.validation.jsonl") == ["Q2"]
    assert {receipt["source"]["rows"] for receipt in receipts} == {3}


def test_a_validation_file_without_rows_is_left_out_and_an_old_one_goes(workspace: Path) -> None:
    split_rows(workspace, "train", "validation")
    run_formats(workspace, ["chat-jsonl"])
    split_rows(workspace, "train", "train")
    assert len(run_formats(workspace, ["chat-jsonl"])) == 1
    assert sorted(path.name for path in (workspace / paths.FORMATTED).iterdir()) == [
        "sft.chat-jsonl.jsonl",
        "sft.chat-jsonl.jsonl.receipt.json",
    ]


def test_an_unknown_name_writes_nothing_and_names_the_nearest(workspace: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        run_formats(workspace, ["chat-jsonl", "trl-unpared"])
    assert 'Did you mean "trl-unpaired"?' in caught.value.fault.what_happened
    assert not (workspace / paths.FORMATTED).exists()


def test_an_export_with_a_forbidden_row_is_not_formatted(workspace: Path) -> None:
    path = workspace / paths.SFT_EXPORT
    row = orjson.loads(path.read_bytes())
    path.write_bytes(orjson.dumps(row | {"quality_score": "rejected"}) + b"\n")
    with pytest.raises(OperatorError) as caught:
        run_formats(workspace, ["chat-jsonl"])
    assert caught.value.exit_code == ExitCode.FIREWALL_BREACH
    assert not (workspace / paths.FORMATTED).exists()


def test_an_export_that_the_firewall_cannot_judge_is_not_formatted(workspace: Path) -> None:
    (workspace / paths.SFT_EXPORT).unlink()
    with pytest.raises(OperatorError) as caught:
        run_formats(workspace, ["chat-jsonl"])
    assert caught.value.fault.code == "firewall_not_evaluable"


def test_the_command_prints_where_the_files_are(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    context = CommandContext(directory=str(workspace))
    assert write_formats(context, ["chat-jsonl"]) == ExitCode.OK
    assert capsys.readouterr().out.startswith("exports/formatted/sft.chat-jsonl.jsonl  1 rows  sha256 ")
    context.json = True
    assert write_formats(context, ["chat-jsonl"]) == ExitCode.OK
    assert orjson.loads(capsys.readouterr().out)[0]["refused"] == {}


def test_help_lists_every_format_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert write_formats(CommandContext(directory=str(tmp_path)), ["help"]) == ExitCode.OK
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(FORMATS)
    assert list(tmp_path.iterdir()) == []
