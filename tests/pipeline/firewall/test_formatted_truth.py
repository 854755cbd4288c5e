"""A formatted file says what the exports say, whatever its receipt claims: receipts can be forged."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from pipeline.contracts import paths
from pipeline.firewall.formatted_watch import FormattedWatch
from pipeline.firewall.places import Places
from pipeline.firewall.report import Report, State
from pipeline.firewall.scan import scan
from pipeline.formats.command import run_formats
from pipeline.formats.registry import FORMATS
from pipeline.settings.load import load_settings
from tests.pipeline.engine.workspaces import encoded, make_workspace, run_all
from tests.pipeline.formats.conftest import SETTINGS, chats, runs
from tests.waiting import wait_until

Row = dict[str, Any]
Change = Callable[[list[Row]], object]
SAID = "This is what nobody said."


@pytest.fixture(scope="module")
def formatted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sources = {"runs.jsonl": encoded(runs()), "chats.jsonl": encoded(chats())}
    workspace = make_workspace(tmp_path_factory.mktemp("formatted") / "w", sources, SETTINGS)
    run_all(workspace, "--workers", "1")
    options = load_settings(workspace).settings.export
    run_formats(workspace, [f"{name}:jsonl" for name in FORMATS], options)
    shutil.copytree(workspace, workspace.with_name("parquet"), symlinks=True)
    run_formats(workspace.with_name("parquet"), list(FORMATS), options)
    return workspace


@pytest.fixture
def workspace(formatted: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(formatted, tmp_path / "w", symlinks=True))


def look(workspace: Path) -> Report:
    return scan(Places.of(workspace, None, (), ()))


def forge(workspace: Path, file: str, data: bytes, **claims: Any) -> None:
    """Write a formatted file, and the receipt that accounts for it."""
    (workspace / paths.FORMATTED / file).write_bytes(data)
    place = workspace / paths.FORMAT_RECEIPTS / f"{file}.receipt.json"
    receipt = {**json.loads(place.read_text()), **claims}
    receipt["output"] |= {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    place.write_text(json.dumps(receipt))


def forge_rows(workspace: Path, folder: str, change: Change, **claims: Any) -> None:
    file = f"{folder}/train.jsonl"
    rows = [json.loads(line) for line in (workspace / paths.FORMATTED / file).read_text().splitlines()]
    change(rows)
    forge(workspace, file, b"".join(json.dumps(row).encode() + b"\n" for row in rows), **claims)


def set_at(row: Any, *way: Any, to: Any) -> None:
    for step in way[:-1]:
        row = row[step]
    row[way[-1]] = to


def swapped(one: str, other: str) -> Change:
    return lambda rows: rows[0].update({one: rows[0][other], other: rows[0][one]})


@pytest.mark.parametrize("kind", ["w", "parquet"])
def test_what_the_formats_write_is_what_the_exports_say(formatted: Path, kind: str) -> None:
    report = look(formatted.with_name(kind))
    assert report.state is State.CLEAR, report.detail
    assert len(report.formatted) > 35
    assert {file["state"] for file in report.formatted} == {"accounted"}


def test_the_same_rows_in_another_spelling_are_the_same(workspace: Path) -> None:
    forge_rows(workspace, "trl-conversational", lambda rows: rows.reverse())
    assert look(workspace).state is State.CLEAR


@pytest.mark.parametrize(
    ("folder", "change"),
    [
        ("trl-conversational", lambda rows: set_at(rows[0], "messages", -1, "content", to=SAID)),
        ("trl-conversational", lambda rows: set_at(rows[0], "messages", 0, "content", to=SAID)),
        ("chat-jsonl", lambda rows: set_at(rows[0], "messages", -1, "reasoning_content", to=SAID)),
        ("trl-conversational", lambda rows: rows[0].update(tools="[]", text=SAID)),
        ("trl-conversational", lambda rows: set_at(rows[0], "messages", 0, "note", to=SAID)),
        ("trl-conversational", lambda rows: set_at(rows[0], "messages", -1, "role", to="user")),
        ("trl-conversational", lambda rows: set_at(rows[0], "messages", -1, "role", to="model")),
        ("trl-conversational", lambda rows: rows.append({"text": SAID})),
        ("trl-conversational", lambda rows: rows.append([])),
        ("trl-prompt-completion", lambda rows: rows[0].update(completion=rows[1]["completion"])),
        ("chat-jsonl", lambda rows: set_at(rows[0], "messages", -1, "weight", to=0)),
        ("axolotl", lambda rows: set_at(rows[0], "messages", -1, "train", to=False)),
        ("axolotl-preference", swapped("chosen", "rejected")),
        ("trl-preference", swapped("chosen", "rejected")),
        ("trl-preference-plain", swapped("chosen", "rejected")),
        ("openai-preference", swapped("preferred_output", "non_preferred_output")),
        ("llama-factory", lambda rows: rows[0].update(system=SAID)),
        ("llama-factory", lambda rows: set_at(rows[0], "conversations", -1, "value", to=SAID)),
        ("llama-factory-alpaca", lambda rows: rows[0].update(output=SAID)),
        ("llama-factory-ranking", swapped("chosen", "rejected")),
        ("llama-factory-kto", lambda rows: rows[0].update(kto_tag=not rows[0]["kto_tag"])),
        ("trl-unpaired", lambda rows: rows[0].update(label=not rows[0]["label"])),
        ("trl-unpaired-text", lambda rows: rows[0].pop("label")),
    ],
)  # fmt: skip
def test_a_forged_row_is_a_breach_though_its_receipt_accounts_for_it(
    workspace: Path, folder: str, change: Change
) -> None:
    def change_and_drop_answers_that_were_accepted(rows: list[Row]) -> None:
        if folder == "trl-unpaired-text":  # a row without a label is one to be learnt
            rows[:] = [row for row in rows if row["label"] is False]
        change(rows)

    forge_rows(workspace, folder, change_and_drop_answers_that_were_accepted)
    report = look(workspace)
    assert report.state is State.BREACH
    (found,) = report.findings.first
    assert found.file == f"exports/formatted/{folder}/train.jsonl"
    assert found.line >= 1
    assert report.findings.rows == 1


@pytest.mark.parametrize(
    "folder", ["trl-conversational", "chat-jsonl", "axolotl", "llama-factory", "trl-preference"]
)
def test_a_row_that_is_there_twice_is_a_breach_though_its_receipt_accounts_for_it(
    workspace: Path, folder: str
) -> None:
    forge_rows(workspace, folder, lambda rows: rows.append(rows[0]))
    report = look(workspace)
    assert report.state is State.BREACH
    assert "more often" in report.findings.first[0].detail


def test_a_row_of_the_other_split_is_a_breach_unless_its_export_was_divided_anew(workspace: Path) -> None:
    file = "trl-conversational/train.jsonl"
    moved = (workspace / paths.FORMATTED / file).read_bytes()
    sft = [json.loads(line) for line in (workspace / paths.SFT_EXPORT).read_text().splitlines()]
    assert {row["split"] for row in sft} == {"train", "validation"}
    other = (workspace / paths.FORMATTED / "trl-conversational/validation.jsonl").read_bytes()
    forge(workspace, file, moved + other)
    report = look(workspace)
    assert report.state is State.BREACH
    assert "another split" in report.findings.first[0].detail
    forge(workspace, file, moved + other, source={"path": str(paths.SFT_EXPORT), "sha256": "0" * 64})
    assert look(workspace).state is not State.BREACH


def test_a_rejected_answer_with_its_label_does_not_belong_among_those_to_be_learnt(workspace: Path) -> None:
    source = workspace / paths.FORMATTED / "trl-unpaired/train.jsonl"
    rejected = next(line for line in source.read_text().splitlines() if '"label":false' in line)
    forge_rows(workspace, "trl-prompt-completion", lambda rows: rows.append(json.loads(rejected)))
    (found,) = look(workspace).findings.first
    assert "do not belong into its folder" in found.detail


def test_a_forged_row_of_parquet_is_seen(formatted: Path, tmp_path: Path) -> None:
    workspace = Path(shutil.copytree(formatted.with_name("parquet"), tmp_path / "w", symlinks=True))
    place = workspace / paths.FORMATTED / "trl-preference-plain/train.parquet"
    table = parquet.read_table(place)
    column = [SAID, *table["chosen"].to_pylist()[1:]]
    table = table.set_column(table.schema.get_field_index("chosen"), "chosen", pa.array(column))
    parquet.write_table(table, tmp_path / "forged.parquet")
    forge(workspace, "trl-preference-plain/train.parquet", (tmp_path / "forged.parquet").read_bytes())
    (found,) = look(workspace).findings.first
    assert (found.line, found.file) == (1, "exports/formatted/trl-preference-plain/train.parquet")


@pytest.mark.parametrize("data", [b"PAR1 and no table", b"\xff\n", b'{"messages":1,"messages":[]}\n'])
@pytest.mark.parametrize("file", ["trl-conversational/train.jsonl", "llama-factory/dataset_info.json"])
def test_what_cannot_be_read_as_rows_is_a_finding(workspace: Path, file: str, data: bytes) -> None:
    forge(workspace, file, data)
    assert look(workspace).state is State.BREACH


@pytest.mark.parametrize(
    "info",
    [
        {"train": {"file_name": "../../sft/instruction_response.jsonl"}},
        {"train": {"file_name": "train.jsonl", "hf_hub_url": "somebody/else"}},
        {"train": {"file_name": "train.jsonl", "columns": {"chosen": "rejected", "rejected": "chosen"}}},
        [],
    ],
)
def test_the_list_of_files_names_those_of_its_folder(workspace: Path, info: object) -> None:
    forge(workspace, "llama-factory-ranking/dataset_info.json", json.dumps(info).encode())
    assert look(workspace).state is State.BREACH


def test_a_row_of_a_source_that_is_gone_is_unknown_and_not_clear(workspace: Path) -> None:
    gone = {"path": str(paths.SFT_EXPORT), "sha256": "0" * 64}
    forge_rows(
        workspace,
        "trl-conversational",
        lambda rows: set_at(rows[0], "messages", -1, "content", to=SAID),
        source=gone,
    )
    report = look(workspace)
    assert report.state is State.UNKNOWN
    assert "make it again" in report.detail


def test_a_file_that_may_be_old_is_made_again(workspace: Path) -> None:
    gone = {"path": str(paths.SFT_EXPORT), "sha256": "0" * 64}
    forge_rows(workspace, "axolotl", lambda rows: rows[0].update(tools=SAID), source=gone)
    run_formats(workspace, ["axolotl:jsonl"], load_settings(workspace).settings.export)
    assert look(workspace).state is State.CLEAR


def test_an_old_file_whose_rows_are_runs_that_may_be_learnt_is_only_out_of_date(workspace: Path) -> None:
    forge_rows(workspace, "axolotl", lambda rows: None, source={"path": "x", "sha256": "0" * 64})
    report = look(workspace)
    assert report.state is State.CLEAR
    assert [file["state"] for file in report.formatted].count("out_of_date") == 1


def test_a_watcher_sees_a_forged_row(workspace: Path) -> None:
    places, now = Places.of(workspace, None, (), ()), [0.0]
    sft = look(workspace).sha256
    watch = FormattedWatch(lambda: now[0])

    def states() -> set[str]:
        now[0] += 2.0
        return {file.state for file in watch.look(places, sft)}

    wait_until(lambda: states() == {"accounted"}, "all files are accounted for")
    forge_rows(workspace, "axolotl", lambda rows: set_at(rows[0], "messages", -1, "content", to=SAID))
    wait_until(lambda: states() == {"accounted", "unaccounted"}, "the forged file is seen")
