"""From an exported row to the bytes of its source line, and what is said when a link is broken."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli import main
from pipeline.contracts.faults import ExitCode, InputError
from pipeline.lineage import Lineage, trace
from pipeline.settings.load import load_settings
from pipeline.source_bytes import SourceState
from tests.pipeline.traced_workspace import PATHS, build, content, lines, rows

SFT = "exports/sft/instruction_response.jsonl"
PREFERENCE = "exports/preference/chosen_rejected.jsonl"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("traced"))


@pytest.fixture
def workspace(built: Path, tmp_path: Path) -> Path:
    """A copy to damage: caches know a workspace by its contents, so it works elsewhere."""
    shutil.copytree(built.parent, tmp_path / "copy")
    return tmp_path / "copy" / "workspace"


def traced(workspace: Path, asked: str) -> Lineage:
    return trace(workspace, load_settings(workspace).settings, asked)


def of_stream(workspace: Path, relative: str, stream: str) -> list[dict[str, Any]]:
    return [row for row in rows(workspace, relative) if row["stream"] == stream]


def edit_rows(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    changed = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        change(row)
        changed.append(json.dumps(row))
    path.write_text("\n".join(changed) + "\n", encoding="utf-8")


@pytest.mark.parametrize("stream", sorted(PATHS))
@pytest.mark.parametrize("number", [0, 1])
def test_a_training_row_leads_to_the_very_bytes_of_its_source_line(
    built: Path, stream: str, number: int
) -> None:
    row = of_stream(built, SFT, stream)[number]
    lineage = traced(built, row["id"])
    assert lineage.ok
    assert lineage.row is not None
    assert lineage.row.row == row
    [chain] = lineage.chains
    assert chain.broken == []
    assert chain.scored is not None
    assert chain.scored.row["category"] == row["quality_score"]
    assert chain.evidence is not None
    assert chain.evidence.row["provenance"] == row["provenance"]
    assert chain.source is not None
    assert chain.source.state is SourceState.OK
    assert chain.source.raw == lines(stream)[(0, 3)[number]]
    assert chain.source.sha256 == row["provenance"]["sig_hash"]


def test_a_place_is_where_the_row_stands(built: Path) -> None:
    lineage = traced(built, of_stream(built, SFT, "packed")[1]["id"])
    for found in (lineage.row, lineage.chains[0].scored, lineage.chains[0].evidence):
        assert found is not None
        stored = (built / found.file).read_bytes()
        assert stored.split(b"\n")[found.line - 1] == stored[found.byte_offset :][: found.length]
        assert json.loads(stored[found.byte_offset :][: found.length]) == found.row


def test_a_pair_has_two_chains(built: Path) -> None:
    pair = of_stream(built, PREFERENCE, "airline")[0]
    lineage = traced(built, pair["id"])
    assert lineage.ok
    assert [(chain.role, chain.run_id) for chain in lineage.chains] == [
        ("chosen", pair["chosen_run_id"]),
        ("rejected", pair["rejected_run_id"]),
    ]
    assert [chain.source.raw for chain in lineage.chains if chain.source] == lines("airline")[:2]


def test_a_run_is_found_in_every_row_made_of_it(built: Path) -> None:
    chosen = of_stream(built, PREFERENCE, "airline")[0]["chosen_run_id"]
    [chain] = traced(built, chosen).chains
    assert [other.what for other in chain.elsewhere] == ["rag", "sft", "preference, chosen"]


def test_a_refused_run_is_found_with_its_reasons(built: Path) -> None:
    refused = of_stream(built, PREFERENCE, "airline")[0]["rejected_run_id"]
    [chain] = traced(built, refused).chains
    assert [other.what for other in chain.elsewhere] == [
        "preference, rejected",
        "quarantined by rag: category_not_allowed",
        "quarantined by sft: category_not_allowed",
    ]


def test_the_row_that_was_asked_for_is_not_listed_again(built: Path) -> None:
    row = of_stream(built, SFT, "airline")[0]
    [chain] = traced(built, row["id"]).chains
    assert "sft" not in [other.what for other in chain.elsewhere]


def test_a_row_appended_by_another_writer_is_listed_although_it_is_spaced_otherwise(workspace: Path) -> None:
    row = of_stream(workspace, SFT, "airline")[0]
    with (workspace / SFT).open("a", encoding="utf-8") as file:
        file.write(json.dumps({**row, "id": "sft-ffffffffffffffff"}) + "\n")
    [chain] = traced(workspace, row["source_run_id"]).chains
    assert [other.what for other in chain.elsewhere].count("sft") == 2


@pytest.mark.parametrize("relative", [SFT, "data/evidence/airline.jsonl", "data/scored-runs/airline.jsonl"])
def test_a_line_of_our_own_files_is_traced(built: Path, relative: str) -> None:
    lineage = traced(built, f"{relative}:2")
    assert lineage.ok
    assert lineage.row is not None
    assert lineage.row.row == rows(built, relative)[1]


def test_a_quarantined_copy_of_an_export_is_traced_by_line(workspace: Path) -> None:
    (workspace / SFT).rename(workspace / f"{SFT}.QUARANTINED-1764000000")
    assert traced(workspace, f"{SFT}.QUARANTINED-1764000000:3").ok


@pytest.mark.parametrize("stream", sorted(PATHS))
def test_a_source_line_is_traced_by_its_name_in_provenance(built: Path, stream: str) -> None:
    name = of_stream(built, SFT, stream)[1]["provenance"]["source_file"]
    [chain] = traced(built, f"{name}:4").chains
    assert chain.run_id == of_stream(built, SFT, stream)[1]["source_run_id"]


def test_a_source_line_is_traced_by_its_path_on_this_machine(
    built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for stream, path in PATHS.items():
        assert traced(built, f"{(built / path).resolve()}:1").chains[0].run_id.startswith(f"{stream}/")
    monkeypatch.chdir(built / "data" / "_kb")
    assert traced(built, "airline.jsonl:1").chains[0].run_id.startswith("airline/")


@pytest.mark.parametrize("asked", ["data/_kb/zipped.jsonl.gz:3", "data/_kb/distillation_skips.jsonl:2"])
def test_a_skipped_line_says_why_and_shows_its_bytes(built: Path, asked: str) -> None:
    lineage = traced(built, asked)
    assert lineage.skip is not None
    assert lineage.skip.row["reason"] == "malformed_json"
    assert lineage.skipped_source is not None
    assert lineage.skipped_source.raw == lines("zipped")[2]
    assert lineage.skipped_source.state is SourceState.NOT_CHECKED


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ("sft-0000000000000000", "no row of exports/sft"),
        ("airline/0000000000000000", "no evidence, scored run, export or quarantined row"),
        ("../../etc/passwd", "no evidence"),
        ("nothing", "no evidence"),
        ("", "no evidence"),
        ("\udc80", "not Unicode"),
        (f"{SFT}:99", "has no row on line 99"),
        (f"{SFT}:0", "has no row on line 0"),
        ("exports/sft/none.jsonl:1", "has no row on line 1"),
        ("data/_kb/airline.jsonl:99", "neither evidence nor a skip"),
        ("data/_kb/distillation_skips.jsonl:99", "has no row on line 99"),
    ],
)
def test_what_is_not_known_is_a_fault(built: Path, asked: str, why: str) -> None:
    with pytest.raises(InputError, match=why) as caught:
        traced(built, asked)
    assert caught.value.fault.code == "unknown_id"


def source_of(workspace: Path, stream: str) -> Any:
    [chain] = traced(workspace, of_stream(workspace, SFT, stream)[1]["id"]).chains
    return chain.source


@pytest.mark.parametrize("stream", sorted(PATHS))
def test_a_source_that_is_gone_is_no_failure(workspace: Path, stream: str) -> None:
    identity = of_stream(workspace, SFT, stream)[1]["id"]
    (workspace / PATHS[stream]).unlink()
    lineage = traced(workspace, identity)
    assert lineage.ok
    assert source_of(workspace, stream).state is SourceState.SOURCE_GONE


def test_one_other_byte_disagrees(workspace: Path) -> None:
    path = workspace / PATHS["airline"]
    path.write_bytes(path.read_bytes().replace(b"half", b"hall"))
    lineage = traced(workspace, of_stream(workspace, SFT, "airline")[1]["id"])
    assert not lineage.ok
    assert source_of(workspace, "airline").state is SourceState.DISAGREE


@pytest.mark.parametrize("stream", sorted(PATHS))
def test_a_source_that_became_shorter_disagrees(workspace: Path, stream: str) -> None:
    (workspace / PATHS[stream]).write_bytes(content(stream)[:40])
    source = source_of(workspace, stream)
    assert (source.state, source.raw) == (SourceState.DISAGREE, None)


def test_a_damaged_archive_is_not_checked_and_says_why(workspace: Path) -> None:
    path = workspace / PATHS["zipped"]
    path.write_bytes(path.read_bytes()[:30])
    source = source_of(workspace, "zipped")
    assert source.state is SourceState.NOT_CHECKED
    assert "zipped.jsonl.gz" in source.why


def test_a_source_root_that_was_taken_back_is_not_read(workspace: Path) -> None:
    settings = workspace / "distill.toml"
    kept = settings.read_text().split('[[stream]]\nname = "outside"')[0]
    settings.write_text(kept.replace('source_roots = ["../outside"]', "source_roots = []"))
    source = source_of(workspace, "outside")
    assert source.raw is None
    assert source.state in (SourceState.NOT_CHECKED, SourceState.SOURCE_GONE)


def test_a_provenance_that_leads_out_of_the_workspace_is_not_followed(workspace: Path) -> None:
    secret = workspace.parent / "secret.txt"
    secret.write_text("do not show\n")

    def lead_out(row: dict[str, Any]) -> None:
        row["provenance"]["source_file"] = "../secret.txt"
        row["provenance"]["byte_offset"] = 0

    edit_rows(workspace / "data/evidence/airline.jsonl", lead_out)
    source = source_of(workspace, "airline")
    assert (source.state, source.raw) == (SourceState.NOT_CHECKED, None)


def test_a_laundered_label_breaks_the_chain(workspace: Path) -> None:
    refused = of_stream(workspace, PREFERENCE, "airline")[0]["rejected_run_id"]
    row = of_stream(workspace, SFT, "airline")[0]
    laundered = {**row, "id": "sft-ffffffffffffffff", "source_run_id": refused}
    with (workspace / SFT).open("a", encoding="utf-8") as file:
        file.write(json.dumps(laundered) + "\n")
    lineage = traced(workspace, "sft-ffffffffffffffff")
    assert not lineage.ok
    assert lineage.chains[0].broken == [
        "the row says accepted, its scored run says rejected",
        "row and scored run name different source lines",
        "its response parts from its run at character 10: 'cancelled', in its run 'no'",
        "the text of its turn 2 parts from its run at character 10: 'cancelled', in its run 'no'",
    ]


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ("data/evidence/airline.jsonl", "no evidence row has this run id"),
        ("data/scored-runs/airline.jsonl", "no scored run has this run id"),
    ],
)
def test_a_missing_link_breaks_the_chain(workspace: Path, file: str, sentence: str) -> None:
    (workspace / file).unlink()
    lineage = traced(workspace, of_stream(workspace, SFT, "airline")[0]["id"])
    assert not lineage.ok
    assert lineage.chains[0].broken == [sentence]


def test_a_run_id_that_does_not_follow_from_its_line_breaks_the_chain(workspace: Path) -> None:
    def shift(row: dict[str, Any]) -> None:
        row["provenance"]["part"] = 1

    for folder in ("evidence", "scored-runs"):
        edit_rows(workspace / f"data/{folder}/airline.jsonl", shift)
    identity = of_stream(workspace, SFT, "airline")[0]["source_run_id"]
    [chain] = traced(workspace, identity).chains
    assert chain.broken == ["the run id does not follow from stream, digest and part of the evidence"]


@pytest.mark.parametrize(
    "provenance",
    [
        {},
        {"source_file": 7, "line": 1, "byte_offset": 0},
        {"source_file": "data/_kb/airline.jsonl", "line": 1, "byte_offset": -1},
        {"source_file": "data/_kb/airline.jsonl", "line": 1, "byte_offset": 0, "sig_hash": 7},
    ],
)
def test_damaged_provenance_is_told_and_does_not_crash(workspace: Path, provenance: dict[str, Any]) -> None:
    def damage(row: dict[str, Any]) -> None:
        row["provenance"] = provenance

    edit_rows(workspace / "data/evidence/airline.jsonl", damage)
    [chain] = traced(workspace, of_stream(workspace, SFT, "airline")[0]["id"]).chains
    assert "the provenance is not one" in chain.broken


def test_a_damaged_skip_is_told_and_does_not_crash(workspace: Path) -> None:
    (workspace / "data/_kb/distillation_skips.jsonl").write_text('{"line": 1}\n')
    with pytest.raises(InputError, match="names no source line"):
        traced(workspace, "data/_kb/distillation_skips.jsonl:1")


def test_the_command_prints_the_chain_without_a_hidden_character(
    built: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    identity = of_stream(built, SFT, "airline")[1]["id"]
    assert main(["lineage", "-C", str(built), identity]) == ExitCode.OK
    printed = capsys.readouterr().out
    assert [line.split()[0] for line in printed.splitlines()[:6] if line] == [
        "row",
        "run",
        "scored",
        "evidence",
        "source",
    ]
    assert "sha256     ok" in printed
    assert "\\u202e" in printed
    assert "\\x9b" in printed
    assert not {"\x1b", "\u202e", "\u009b"} & set(printed)


def test_the_command_gives_the_chain_as_data(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = of_stream(built, SFT, "zipped")[0]
    assert main(["lineage", "-C", str(built), row["id"], "--json"]) == ExitCode.OK
    data = json.loads(capsys.readouterr().out)
    assert data["ok"] is True
    assert data["row"]["id"] == row["id"]
    source = data["chains"][0]["source"]
    assert (source["state"], source["sha256"], source["bytes"]) == (
        "ok",
        row["provenance"]["sig_hash"],
        len(lines("zipped")[0]),
    )


def test_the_command_writes_the_very_bytes(built: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    pair = of_stream(built, PREFERENCE, "packed")[0]
    assert main(["lineage", "-C", str(built), pair["id"], "--bytes"]) == ExitCode.OK
    assert capfdbinary.readouterr().out == b"\n".join(lines("packed")[:2]) + b"\n"


def test_raw_bytes_are_never_written_to_a_terminal(
    built: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(["lineage", "-C", str(built), "airline/x", "--bytes"]) == ExitCode.USAGE
    assert capsys.readouterr().out == ""


def test_bytes_of_a_source_that_is_gone_are_a_fault(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (workspace / PATHS["airline"]).unlink()
    identity = of_stream(workspace, SFT, "airline")[0]["id"]
    assert main(["lineage", "-C", str(workspace), identity, "--bytes"]) == ExitCode.NOT_EVALUABLE
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "rotated away" in captured.err


def test_the_command_ends_with_1_when_links_disagree(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = workspace / PATHS["airline"]
    path.write_bytes(path.read_bytes().replace(b"half", b"hall"))
    identity = of_stream(workspace, SFT, "airline")[1]["id"]
    assert main(["lineage", "-C", str(workspace), identity]) == ExitCode.CHECK_FAILED
    assert "disagree   other bytes stand at the offset" in capsys.readouterr().out


def test_an_unknown_id_is_three_lines_and_3(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lineage", "-C", str(built), "sft-0000000000000000"]) == ExitCode.NOT_EVALUABLE
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 3
