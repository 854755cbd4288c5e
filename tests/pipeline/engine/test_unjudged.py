"""A stream of which nobody said what is good says so, and a run says why rows are missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.contracts.faults import ExitCode
from tests.pipeline.engine.workspaces import ONE_STREAM, encoded, engine, run_all

_FIELDS = ONE_STREAM.removesuffix('reward = "reward"\n')
_LINES = [{"task": str(number), "ask": "a?", "said": f"b {number}", "ok": number % 2} for number in range(6)]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "data/_kb").mkdir(parents=True)
    (tmp_path / "data/_kb/runs.jsonl").write_bytes(encoded(_LINES))
    (tmp_path / "distill.toml").write_text(_FIELDS)
    return tmp_path


def told(workspace: Path) -> list[str]:
    return [words for words in run_all(workspace)["warnings"] if words.startswith("outcome: ")]


def test_a_stream_whose_outcome_nobody_mapped_says_so_until_somebody_does(workspace: Path) -> None:
    expected = [
        "outcome: stream runs: no row says how a run ended, so that all 6 wait for a person "
        "(needs_human_review) and none is exported. Map reward, verdict or markers, then: "
        "distill streams check --stream runs"
    ]
    assert told(workspace) == expected
    # The next run has nothing to do, and the stream is as it was.
    assert told(workspace) == expected
    (workspace / "distill.toml").write_text(_FIELDS + 'reward = "ok"\n')
    assert told(workspace) == []


def test_one_run_that_was_judged_is_enough(workspace: Path) -> None:
    (workspace / "distill.toml").write_text(_FIELDS + 'reward = "score"\n')
    assert len(told(workspace)) == 1
    (workspace / "data/_kb/runs.jsonl").write_bytes(encoded([*_LINES, {**_LINES[0], "score": 1}]))
    assert told(workspace) == []


def test_a_run_says_why_rows_are_missing_and_which_command_shows_it(workspace: Path) -> None:
    (workspace / "distill.toml").write_text(_FIELDS + 'reward = "ok"\n')
    torn = b'{"task": "10", "ask": 3, "said": "x"}\n{"task'
    (workspace / "data/_kb/runs.jsonl").write_bytes(encoded(_LINES) + torn)
    ended = engine(workspace, "run-all")
    assert ended.returncode == ExitCode.OK, ended.stderr
    lines = ended.stdout.splitlines()
    (counted,) = [line for line in lines if line.startswith("lines ")]
    assert counted.endswith("2 skipped (torn_tail 1, wrong_type 1)")
    (sft,) = [line for line in lines if line.startswith("sft ")]
    assert sft.split() == ["sft", "3", "3", "category_not_allowed", "3"]
    assert "each skipped line: distill streams check" in lines
    assert (
        "each quarantined run: exports/quarantine/, and why it was judged so: distill explain RUN_ID" in lines
    )


def test_a_run_that_lacks_nothing_points_nowhere(workspace: Path) -> None:
    (workspace / "distill.toml").write_text(
        _FIELDS.replace("[[stream]]", '[[stream]]\nexports = ["sft"]') + "reward = { const = 1 }\n"
    )
    shown = engine(workspace, "run-all").stdout
    assert "skipped (" not in shown
    assert "each skipped line" not in shown
    assert "judged so" not in shown
