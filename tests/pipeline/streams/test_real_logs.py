"""The settings of the real streams lead to the outcomes that the logs record.

``DISTILL_REAL_LOGS`` names the folder of the logs; without it, these tests are skipped.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pipeline.contracts.lint import RewardHack
from pipeline.schemas.evidence import EvidenceRecord
from pipeline.settings.load import load_settings
from pipeline.settings.model import Settings
from pipeline.storage.source_lines import LineFault, lines_of, open_source, parse_line
from pipeline.streams.compiled import compile_stream
from pipeline.streams.files import SourceFile
from pipeline.streams.lookup import load_lookup

FIXTURE = Path(__file__).parents[3] / "fixtures" / "settings" / "real-logs.toml"
LOGS = Path(os.environ.get("DISTILL_REAL_LOGS", "/nonexistent"))
pytestmark = pytest.mark.skipif(not LOGS.is_dir(), reason="DISTILL_REAL_LOGS names no folder")

# Evidence rows by what the log says: pass, fail, error, no verdict; and rewards of 1, 0.5 to 1, below.
OUTCOMES: dict[str, dict[str, int]] = {
    "taubench_airline": {"reward 1": 43, "reward < 0.5": 97},
    "mint_runs": {"pass": 596, "fail": 956, "error": 8},
    "intercode_bash": {"reward 1": 253, "reward >= 0.5": 581, "reward < 0.5": 61},
    "reflexion_humaneval": {"pass": 993, "fail": 369},
    "vicuna_reviews": {"pass": 226, "fail": 226, "none": 48},
    "xsum_factuality": {"pass": 310, "fail": 2487, "none": 24},
    "agbenchmark_reports": {"pass": 464, "fail": 1352, "error": 1859},
    "zeroeval_crux": {"none": 1749, "none, empty": 1},
}


@cache
def all_settings(folder: Path) -> Settings:
    (folder / "distill.toml").write_bytes(FIXTURE.read_bytes())
    return load_settings(folder).settings


@cache
def rows_of(folder: Path, name: str) -> list[dict[str, Any]]:
    settings = all_settings(folder)
    lookups = {
        stream.name: load_lookup(stream, [SourceFile(f"{stream.name}.jsonl", LOGS / f"{stream.name}.jsonl")])
        for stream in settings.streams
        if stream.role == "lookup"
    }
    compiled = compile_stream(settings.stream(name), lookups)
    rows: list[dict[str, Any]] = []
    with open_source(LOGS / f"{name}.jsonl") as source:
        for line in lines_of(source):
            value = parse_line(line.raw)
            assert not isinstance(value, LineFault), value
            outcome = compiled.map_line(
                value,
                source_file=f"data/_kb/{name}.jsonl",
                line=line.line,
                byte_offset=line.byte_offset,
                sig_hash=hashlib.sha256(line.raw).hexdigest(),
            )
            assert not isinstance(outcome, LineFault), outcome
            rows += outcome
    return rows


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("settings")


def log_says(row: dict[str, Any]) -> str:
    if row["reward"] is not None:
        return (
            "reward 1" if row["reward"] >= 1 else "reward >= 0.5" if row["reward"] >= 0.5 else "reward < 0.5"
        )
    return row["verdict"] or ("none, empty" if row["response"] == "" else "none")


@pytest.mark.parametrize("name", OUTCOMES)
def test_the_outcomes_are_those_of_the_log(folder: Path, name: str) -> None:
    assert Counter(map(log_says, rows_of(folder, name))) == OUTCOMES[name]


@pytest.mark.parametrize("name", OUTCOMES)
def test_every_row_is_valid_evidence_in_the_key_order_of_its_schema(folder: Path, name: str) -> None:
    for row in rows_of(folder, name):
        EvidenceRecord.model_validate({**row, "recorded_at": "2026-01-01T00:00:00Z"})
        assert list(row) == list(EvidenceRecord.model_fields)[:-1]


def test_model_names_are_present_wherever_the_log_or_its_path_names_one(folder: Path) -> None:
    without = {name: sum(row["model_name"] is None for row in rows_of(folder, name)) for name in OUTCOMES}
    # One file of nine names no model; the benchmark reports name an agent, never its model.
    expected = {"reflexion_humaneval": 164, "agbenchmark_reports": 3675}
    assert {name: count for name, count in without.items() if count} == expected


def test_tasks_that_share_an_id_but_not_a_data_set_are_apart(folder: Path) -> None:
    rows = rows_of(folder, "mint_runs")
    assert len({row["task_id"] for row in rows}) == 260
    prompts: dict[str, set[str]] = {}
    for row in rows:
        prompts.setdefault(row["task_id"], set()).add(row["messages"][0]["content"])
    assert all(len(of_task) == 1 for of_task in prompts.values())


def test_writing_tests_is_another_task_than_writing_code(folder: Path) -> None:
    kinds: dict[str, set[bool]] = {}
    for row in rows_of(folder, "reflexion_humaneval"):
        kinds.setdefault(row["task_id"], set()).add(row["instruction"].startswith("Write assertions"))
    assert len(kinds) == 328
    assert all(len(of_task) == 1 for of_task in kinds.values())


def test_nothing_that_the_agent_never_saw_is_outside_goal(folder: Path) -> None:
    for row in rows_of(folder, "taubench_airline"):
        goal = row["goal"]
        assert goal
        shown = [row["instruction"], row["context"], row["response"] or ""]
        assert all(goal not in text for text in [*shown, *(m["content"] or "" for m in row["messages"])])


def test_tool_calls_keep_their_arguments_to_the_byte(folder: Path) -> None:
    with open_source(LOGS / "taubench_airline.jsonl") as source:
        first = parse_line(next(iter(lines_of(source))).raw)
    assert isinstance(first, dict)
    written = [
        call["function"]["arguments"] for turn in first["traj"] for call in turn.get("tool_calls") or ()
    ]
    kept = [
        call["arguments"]
        for message in rows_of(folder, "taubench_airline")[0]["messages"]
        for call in message["tool_calls"] or ()
    ]
    assert written
    assert kept == written


def test_no_run_shows_a_sign_of_a_reward_hack(folder: Path) -> None:
    signs = {sign.value for sign in RewardHack}
    flagged = {
        name: [row["run_id"] for row in rows_of(folder, name) if signs & {*row["flags"]}] for name in OUTCOMES
    }
    assert flagged == {name: [] for name in OUTCOMES}


def test_reports_have_times_costs_and_no_response(folder: Path) -> None:
    rows = rows_of(folder, "agbenchmark_reports")
    assert all(row["response"] is None and row["timestamp"] for row in rows)
    assert rows[0]["timestamp"] == "2023-08-17T08:13:35Z"
    assert rows[0]["latency_ms"] == 58912.0
    assert sum(row["latency_ms"] is not None for row in rows) == 3372
    assert sum(row["cost_usd"] is not None for row in rows) == 603
