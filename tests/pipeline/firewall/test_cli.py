"""``python -P -m pipeline.firewall`` as the engine, the console and people call it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.contracts.events import FirewallState, decode
from tests.pipeline.firewall.corpus import GOOD, honest, line

HOSTILE = "\x1b]0;owned\x07\u202egood\n[/x]"


def firewall(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    argv = [sys.executable, "-P", "-m", "pipeline.firewall", *arguments]
    return subprocess.run(argv, capture_output=True, check=False, cwd=cwd)


def test_exit_codes_are_those_of_the_product(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    assert firewall("-C", str(tmp_path)).returncode == 0
    corpus.export(runs["bad"].row())
    assert firewall("-C", str(tmp_path)).returncode == 10
    corpus.sft.unlink()
    assert firewall("-C", str(tmp_path)).returncode == 5
    corpus.sft.mkdir()
    assert firewall("-C", str(tmp_path)).returncode == 3
    assert firewall("-C", str(tmp_path / "nowhere")).returncode == 2
    assert firewall("--walls", "label,roof", "-C", str(tmp_path)).returncode == 2


def test_outside_of_a_workspace_it_says_so_in_three_lines(tmp_path: Path) -> None:
    finished = firewall(cwd=tmp_path)
    assert finished.returncode == 2
    assert [said.split("  ")[0] for said in finished.stderr.decode().splitlines()] == [
        "what happened",
        "kept safe",
        "do next",
    ]


def test_json_says_what_was_found(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    corpus.export(runs["good"].row(), runs["bad"].row(quality_score=GOOD))
    report = json.loads(firewall("-C", str(tmp_path), "--json").stdout)
    assert report["state"] == "BREACH"
    assert report["file"] == "exports/sft/instruction_response.jsonl"
    assert (report["rows_read"], report["findings_count"]) == (2, 2)
    assert report["by_wall"] == {"lineage": 1, "content": 1}
    assert report["findings"][0] == {
        "wall": "lineage",
        "file": "exports/sft/instruction_response.jsonl",
        "line": 2,
        "byte_offset": len(line(runs["good"].row())),
        "row_id": runs["bad"].row()["id"],
        "run_id": "chat/bad",
        "detail": "the run was scored rejected",
    }
    assert report["index"]["evidence_rows"] == 5
    assert len(report["sha256"]) == 64


def test_text_shows_hostile_data_and_obeys_none_of_it(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    corpus.export(*[runs["bad"].row(quality_score=HOSTILE, source_run_id=HOSTILE, id=HOSTILE)] * 15)
    said = firewall("-C", str(tmp_path)).stdout.decode()
    assert said.startswith(
        "firewall  BREACH  exports/sft/instruction_response.jsonl\n"
        "  15 rows read, 15 forbidden rows (45 findings): label 15"
    )
    assert r"\x1b]0;owned\x07\u202egood⏎[/x]" in said
    assert "… and 35 more findings" in said
    assert all(character.isprintable() or character == "\n" for character in said)


def test_events_are_appended_to_a_file_of_ones_own(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    corpus.export(runs["bad"].row())
    place = tmp_path / "events.jsonl"
    firewall("-C", str(tmp_path), "--events", str(place))
    (said,) = place.read_bytes().splitlines()
    event = decode(said)
    assert isinstance(event, FirewallState)
    assert (event.state, event.findings_count, event.rows_read) == ("BREACH", 3, 1)
    assert (event.forbidden_rows, event.forbidden_files) == (1, 0)
    assert place.stat().st_mode & 0o777 == 0o600


def test_events_on_stdout_leave_no_other_output_there(tmp_path: Path) -> None:
    honest(tmp_path)
    finished = firewall("-C", str(tmp_path), "--events", "-", "--json")
    (said,) = finished.stdout.splitlines()
    assert json.loads(said)["type"] == "firewall.state"


def test_a_staged_file_needs_no_workspace(tmp_path: Path) -> None:
    corpus, _ = honest(tmp_path)
    (tmp_path / "distill.toml").unlink()
    places = (
        "--evidence-dir",
        str(tmp_path / "data/evidence"),
        "--scored-dir",
        str(tmp_path / "data/scored-runs"),
    )
    finished = firewall("--json", *places, str(corpus.sft), cwd=tmp_path)
    assert finished.returncode == 0
    assert json.loads(finished.stdout)["index"]["runs"] == 5


@pytest.mark.parametrize("wall", ["label", "lineage", "content", "readable"])
def test_one_wall_may_stand_alone(tmp_path: Path, wall: str) -> None:
    corpus, runs = honest(tmp_path)
    corpus.export(b"\n", runs["bad"].row())
    report = json.loads(firewall("-C", str(tmp_path), "--walls", wall, "--json").stdout)
    assert set(report["by_wall"]) == {wall}
    assert report["walls"] == [wall]


def test_a_reader_that_has_gone_is_no_traceback(tmp_path: Path) -> None:
    honest(tmp_path)
    argv = [sys.executable, "-P", "-m", "pipeline.firewall", "-C", str(tmp_path)]
    reader, writer = os.pipe()
    os.close(reader)
    with subprocess.Popen(argv, stdout=writer, stderr=subprocess.PIPE) as process:
        os.close(writer)
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert process.returncode == 0, "what was found, whoever reads it"
