"""P2, P3, P4 one by one: each carries the others' verified receipts, and works while they are broken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.contracts import paths
from tests.architecture.fresh_interpreter import run_python
from tests.pipeline.engine.workspaces import (
    RECORDED_AT,
    engine,
    make_workspace,
    newest_summary,
    output_bytes,
    rows,
)


@pytest.fixture
def last(ran: Path) -> dict[str, Any]:
    """The summary of the run that was there before."""
    return newest_summary(ran)


def _stage(workspace: Path, command: str, *options: str, ends_with: int = 0) -> dict[str, Any]:
    finished = engine(workspace, command, "--json", "--recorded-at", RECORDED_AT, *options)
    assert finished.returncode == ends_with, finished.stderr
    summary: dict[str, Any] = json.loads(finished.stdout)
    return summary


@pytest.mark.parametrize(
    ("command", "stage"), [("materialize", "materialize"), ("score", "score"), ("export", "export")]
)
def test_a_stage_alone_carries_the_other_receipts_to_the_same_hash(
    workspace: Path, last: dict[str, Any], command: str, stage: str
) -> None:
    summary = _stage(workspace, command)
    assert summary["run_hash"] == last["run_hash"]
    carried = {entry["stage"]: entry["carried_from"] for entry in summary["stages"]}
    assert set(carried) == {"materialize", "score", "export"}
    assert carried.pop(stage) is None
    assert set(carried.values()) == {last["pipeline_run_id"]}


@pytest.mark.parametrize(
    ("damaged", "missing"),
    [
        (paths.SFT_EXPORT, "export"),
        (paths.SFT_QUARANTINE, "export"),
        (paths.DISTILLATION_SKIPS, "materialize"),
    ],
)
def test_a_receipt_that_the_disk_contradicts_is_not_carried(
    workspace: Path, damaged: object, missing: str
) -> None:
    with (workspace / str(damaged)).open("ab") as file:
        file.write(b"{}\n")
    summary = _stage(workspace, "score", ends_with=10 if damaged == paths.SFT_EXPORT else 0)
    assert summary["ok"]
    assert missing not in {entry["stage"] for entry in summary["stages"]}


def test_an_export_made_alone_over_a_file_that_was_edited_keeps_what_is_known_of_the_others(
    workspace: Path, last: dict[str, Any]
) -> None:
    with (workspace / paths.RAG_EXPORT).open("ab") as file:
        file.write(b"{}\n")
    summary = _stage(workspace, "export-rag", ends_with=10)  # no run said what was in the file
    assert summary["run_hash"] == last["run_hash"]


def test_evidence_without_a_verdict_is_named_and_left_out(workspace: Path) -> None:
    scored = workspace / paths.scored_file("runs")
    lines = scored.read_bytes().splitlines(keepends=True)
    scored.write_bytes(b"".join(lines[5:]))
    finished = engine(workspace, "export")
    assert finished.returncode == 10, "rows of the standing export were never scored, as it stands"
    assert "5 evidence rows have no verdict" in finished.stderr
    left_out = {json.loads(line)["run_id"] for line in lines[:5]}
    for relative in (paths.SFT_EXPORT, paths.SFT_QUARANTINE):
        runs = {row.get("source_run_id", row.get("run_id")) for row in rows(workspace, relative)}
        assert not runs & left_out


@pytest.mark.parametrize("line", [b"{torn", b"[]\n", b"\xff\xfe\n", b'{"run_id": 7}\n', b"{}\n", b"\n"])
def test_damaged_evidence_is_passed_over_by_the_scorer_and_stops_an_export(
    workspace: Path, ran: Path, line: bytes
) -> None:
    with (workspace / paths.evidence_file("runs")).open("ab") as file:
        file.write(line)
    scored = engine(workspace, "score", "--recorded-at", RECORDED_AT)
    assert scored.returncode == 3, scored.stderr
    assert "1 evidence rows could not be scored" in scored.stderr
    assert "was not judged by the new verdicts" in scored.stderr
    assert len(rows(workspace, paths.SCORING_SKIPS)) == 1
    # The scan cannot vouch for an export while it cannot read what the rows came from.
    exported = engine(workspace, "export", "--recorded-at", RECORDED_AT)
    assert exported.returncode == 3
    assert "cannot be read" in exported.stderr
    before = output_bytes(ran)
    assert {path: data for path, data in output_bytes(workspace).items() if path in before} == {
        **before,
        str(paths.evidence_file("runs")): before[str(paths.evidence_file("runs"))] + line,
    }


@pytest.mark.parametrize("command", ["score", "export"])
def test_a_stage_whose_input_is_missing_says_how_to_make_it(tmp_path: Path, command: str) -> None:
    finished = engine(make_workspace(tmp_path / "w"), command)
    assert finished.returncode == 3
    assert "distill materialize" in finished.stderr or "distill score" in finished.stderr
    assert len(finished.stderr.splitlines()) == 3


_WITHOUT = """\
import sys
class Broken:
    def find_spec(self, name, path=None, target=None):
        if name.startswith(tuple(sys.argv[1].split(","))):
            raise ImportError(f"broken: {name}")
sys.meta_path.insert(0, Broken())
from pipeline.cli import main
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize(
    ("command", "broken"),
    [
        ("materialize", "pipeline.stages.export_,pipeline.stages.score"),
        ("score", "pipeline.stages.export_,pipeline.streams.compiled"),
    ],
)
def test_a_stage_works_while_the_others_are_broken(workspace: Path, command: str, broken: str) -> None:
    before = output_bytes(workspace)
    words = (command, "--recorded-at", RECORDED_AT, "-C", str(workspace))
    finished = run_python("-c", _WITHOUT, broken, *words)
    assert finished.returncode == 0, finished.stderr
    after = output_bytes(workspace)
    assert {path: after[path] for path in before} == before
