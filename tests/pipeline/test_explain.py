"""``distill explain``: the rule that decided, the evidence, and why earlier rules did not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli import main
from pipeline.contracts.faults import ExitCode
from pipeline.stages.scoring_rules import RULES
from tests.pipeline.traced_workspace import build, rows

EVIDENCE = "data/evidence/airline.jsonl"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("explained"))


@pytest.fixture
def workspace(built: Path, tmp_path: Path) -> Path:
    shutil.copytree(built.parent, tmp_path / "copy")
    return tmp_path / "copy" / "workspace"


def explained(workspace: Path, number: int, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    run_id = rows(workspace, EVIDENCE)[number]["run_id"]
    capsys.readouterr()
    assert main(["explain", "-C", str(workspace), run_id, "--json"]) == ExitCode.OK
    data: dict[str, Any] = json.loads(capsys.readouterr().out)
    return data


@pytest.mark.parametrize(
    ("number", "category", "reason"),
    [
        (0, "accepted", "reward_accepted"),
        (1, "rejected", "reward_low"),
        (2, "partially_accepted", "reward_partial"),
    ],
)
def test_the_last_rule_asked_is_the_one_that_decided(
    built: Path, capsys: pytest.CaptureFixture[str], number: int, category: str, reason: str
) -> None:
    data = explained(built, number, capsys)
    assert (data["category"], data["reason"], data["is_outdated"]) == (category, reason, False)
    assert data["scored"]["row"]["reasons"] == [reason]
    assert [rule["fired"] for rule in data["rules"]] == [False] * (len(data["rules"]) - 1) + [True]
    assert all(rule["why"] for rule in data["rules"])
    assert reason not in data["not_asked"]
    assert len(data["rules"]) + len(data["not_asked"]) == len(RULES)


def test_people_read_evidence_and_rules_without_a_hidden_character(
    built: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_id = rows(built, EVIDENCE)[2]["run_id"]
    assert main(["explain", "-C", str(built), run_id]) == ExitCode.OK
    printed = capsys.readouterr().out
    lines = printed.splitlines()
    assert lines[0] == f"{run_id}   task 2   model not recorded"
    assert lines[1] == "partially_accepted, by rule reward_partial"
    assert lines[2] == "scored partially_accepted, 0.7, in data/scored-runs/airline.jsonl:3"
    assert "  instruction     \\x1b[31mred\\u202e" in lines
    assert "  reward          0.7" in lines
    assert any(line.startswith("   9  YES  reward_partial") for line in lines)
    assert not {"\x1b", "\u202e", "\u009b"} & set(printed)


def test_flags_are_told_where_there_are_some(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = workspace / EVIDENCE
    found = rows(workspace, EVIDENCE)
    found[0]["flags"], found[1]["flags"] = ["tests_edited", "exits_early"], []
    path.write_text("".join(json.dumps(row) + "\n" for row in found), encoding="utf-8")
    for number, is_told in ((0, True), (1, False)):
        assert main(["explain", "-C", str(workspace), found[number]["run_id"]]) == ExitCode.OK
        printed = capsys.readouterr().out
        assert ("  flags           tests_edited, exits_early" in printed) is is_told
        assert ("flags" in printed.split("rules, first")[0]) is is_told


def test_a_verdict_that_the_settings_have_outlived_is_told(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = workspace / "distill.toml"
    settings.write_text("[scoring]\naccept_at = 0.6\n" + settings.read_text())
    run_id = rows(workspace, EVIDENCE)[2]["run_id"]
    assert main(["explain", "-C", str(workspace), run_id]) == ExitCode.OK
    captured = capsys.readouterr()
    assert "would now be accepted, by rule reward_accepted" in captured.out
    assert "scored partially_accepted" in captured.out
    assert "distill score" in captured.err


def test_a_run_that_was_not_scored_yet_is_explained_all_the_same(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (workspace / "data/scored-runs/airline.jsonl").unlink()
    data = explained(workspace, 0, capsys)
    assert (data["category"], data["scored"], data["is_outdated"]) == ("accepted", None, False)


def test_evidence_that_somebody_edited_is_a_fault_that_names_the_field(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = rows(workspace, EVIDENCE)[0]
    (workspace / EVIDENCE).write_text(json.dumps({**row, "reward": "secret"}) + "\n")
    assert main(["explain", "-C", str(workspace), row["run_id"]]) == ExitCode.CHECK_FAILED
    printed = capsys.readouterr().err
    assert f"{EVIDENCE}:1 is not an evidence row as the engine writes it (reward: float_type)" in printed
    assert "secret" not in printed


@pytest.mark.parametrize("run_id", ["airline/0000000000000000", "no-stream", "../../x/y", ""])
def test_an_unknown_run_is_three_lines_and_3(
    built: Path, capsys: pytest.CaptureFixture[str], run_id: str
) -> None:
    assert main(["explain", "-C", str(built), run_id]) == ExitCode.NOT_EVALUABLE
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 3
