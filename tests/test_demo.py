from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pipeline.contracts import paths
from tests.console.terminals import Terminal
from tests.waiting import wait_until

CHECKOUT = Path(__file__).resolve().parents[1]
CATEGORIES = ("evidence", "accepted", "partially_accepted", "needs_human_review", "rejected")
Verdicts = dict[str, tuple[int, ...]]
# The same table as in fixtures/README.md.
FIXTURES: Verdicts = {
    "taubench_airline": (12, 5, 0, 0, 7),
    "mint_runs": (16, 8, 0, 2, 6),
    "intercode_bash": (15, 6, 5, 0, 4),
    "reflexion_humaneval": (20, 12, 0, 0, 8),
    "vicuna_reviews": (28, 11, 0, 6, 11),
    "xsum_factuality": (28, 11, 0, 3, 14),
    "agbenchmark_reports": (15, 6, 0, 5, 4),
    "zeroeval_crux": (9, 0, 0, 8, 1),
}
# It follows from the logs' own outcome fields, with accept_at 1.0 and partial_at 0.5.
REAL_LOGS: Verdicts = {
    "taubench_airline": (140, 43, 0, 0, 97),
    "mint_runs": (1560, 596, 0, 8, 956),
    "intercode_bash": (895, 253, 581, 0, 61),
    "reflexion_humaneval": (1362, 993, 0, 0, 369),
    "vicuna_reviews": (500, 226, 0, 48, 226),
    "xsum_factuality": (2821, 310, 0, 24, 2487),
    "agbenchmark_reports": (3675, 464, 0, 1859, 1352),
    "zeroeval_crux": (1750, 0, 0, 1749, 1),
}


def _distill(
    *arguments: str, cwd: Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "console", *arguments],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def _batch(
    tmp_path: Path, *arguments: str, env: Mapping[str, str] | None = None
) -> tuple[Path, dict[str, Any]]:
    """The workspace and the summary of `distill demo --batch`, which has to end with 0."""
    root = tmp_path / "demo"
    done = _distill("demo", "--batch", "--json", "--dir", str(root), *arguments, cwd=tmp_path, env=env)
    assert done.returncode == 0, done.stderr
    return root, json.loads(done.stdout)


def _verdicts(summary: dict[str, Any]) -> Verdicts:
    return {
        name: tuple(counts[category] for category in CATEGORIES)
        for name, counts in summary["streams"].items()
        if counts["evidence"]
    }


def _rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_bytes().splitlines()]


@pytest.fixture(scope="module")
def fixtures_demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    return _batch(tmp_path_factory.mktemp("fixtures"))


def test_the_fixtures_give_the_verdicts_of_their_table(fixtures_demo: tuple[Path, dict[str, Any]]) -> None:
    _, summary = fixtures_demo
    assert _verdicts(summary) == FIXTURES


def test_each_line_is_evidence_a_look_up_or_a_skip_with_its_reason(
    fixtures_demo: tuple[Path, dict[str, Any]],
) -> None:
    root, summary = fixtures_demo
    for counts in summary["streams"].values():
        assert counts["lines"] == counts["mapped"] + counts["looked_up"] + counts["skipped"]
    skips = {(skip["stream"], skip["reason"]) for skip in _rows(root / paths.DISTILLATION_SKIPS)}
    assert skips == {
        ("intercode_bash", "malformed_json"),
        ("xsum_factuality", "duplicate_line"),
        ("zeroeval_crux", "torn_tail"),
    }


def test_the_planted_traps_are_refused_for_their_reasons(fixtures_demo: tuple[Path, dict[str, Any]]) -> None:
    root, _ = fixtures_demo
    refused = {(row["stream"], row["reason"]) for row in _rows(root / paths.SFT_QUARANTINE)}
    assert ("reflexion_humaneval", "conflicting_verdict") in refused
    assert ("agbenchmark_reports", "response_not_recorded") in refused
    streams = {row["stream"] for row in _rows(root / paths.SFT_EXPORT)}
    assert "taubench_airline" in streams
    assert not streams & {"agbenchmark_reports", "zeroeval_crux"}
    pairs = _rows(root / paths.PREFERENCE_QUARANTINE)
    assert "prompt_differs" in {row["reason"] for row in pairs if row["stream"] == "taubench_airline"}


def test_no_pair_crosses_data_sets_or_kinds_of_attempt(fixtures_demo: tuple[Path, dict[str, Any]]) -> None:
    root, _ = fixtures_demo
    source: dict[str, str] = {}
    for stream in ("mint_runs", "reflexion_humaneval"):
        lines = (root / paths.KNOWLEDGE_BASE / f"{stream}.jsonl").read_bytes().splitlines()
        for evidence in _rows(root / paths.evidence_file(stream)):
            path = json.loads(lines[evidence["provenance"]["line"] - 1])["_source"]["path"]
            # MINT: the data set; Reflexion: whether tests or code were to be written.
            source[evidence["run_id"]] = (
                path.split("/")[-2] if stream == "mint_runs" else str("test-acc" in path)
            )
    pairs = [row for row in _rows(root / paths.PREFERENCE_EXPORT) if row["chosen_run_id"] in source]
    assert pairs
    assert all(source[row["chosen_run_id"]] == source[row["rejected_run_id"]] for row in pairs)


def test_a_second_run_processes_no_chunk_and_has_the_same_run_hash(
    fixtures_demo: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    built, first = fixtures_demo
    root = shutil.copytree(built, tmp_path / "demo", symlinks=True)
    done = _distill("-C", str(root), "run-all", "--json", cwd=tmp_path)
    second = json.loads(done.stdout)
    assert first["counts"]["chunks_processed"] > 0
    assert second["counts"]["chunks_processed"] == 0
    assert second["run_hash"] == first["run_hash"]


def test_the_workspace_stays_clean_under_git_when_its_engine_has_run(
    fixtures_demo: tuple[Path, dict[str, Any]],
) -> None:
    root, _ = fixtures_demo
    status = subprocess.run(
        ["git", "status", "--porcelain"], cwd=root, capture_output=True, text=True, check=True
    )
    assert status.stdout == ""


def test_without_a_terminal_the_demo_runs_and_prints_the_status(tmp_path: Path) -> None:
    done = _distill("demo", "--json", "--dir", str(tmp_path / "demo"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)
    assert "run_hash" in done.stderr


def test_the_readme_shows_what_the_demo_prints(tmp_path: Path) -> None:
    done = _distill("demo", "--dir", str(tmp_path / "demo"), cwd=tmp_path)
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    shown = readme.partition("```text\n")[2].partition("```")[0].splitlines()
    printed = done.stdout.splitlines() + done.stderr.splitlines()
    assert len(shown) > 10
    assert [line for line in shown if line != "…" and line not in printed] == []


def test_a_place_that_is_taken_is_refused_in_three_lines(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken/thesis.txt").write_text("years of work")
    done = _distill("demo", "--batch", "--dir", "taken", cwd=tmp_path)
    assert done.returncode == 2
    assert [line.split("  ")[0] for line in done.stderr.splitlines()] == [
        "what happened",
        "kept safe",
        "do next",
    ]
    assert (tmp_path / "taken/thesis.txt").read_text() == "years of work"


def test_what_the_wheel_holds_is_enough_for_the_demo(tmp_path: Path) -> None:
    settings = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    wheel = settings["tool"]["hatch"]["build"]["targets"]["wheel"]
    site = tmp_path / "site"
    for included in wheel["only-include"]:
        target = included
        for prefix, replacement in wheel["sources"].items():
            target = target.replace(f"{prefix}/", f"{replacement}/")
        shutil.copytree(
            CHECKOUT / included,
            site / target,
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    # The engine's environment drops PYTHONPATH, so the copy is installed the way pip would do it.
    python = tmp_path / "venv/bin/python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    packages = next((tmp_path / "venv/lib").glob("python*")) / "site-packages"
    dependencies = next(path for path in map(Path, sys.path) if path.name == "site-packages")
    # An import hook of the editable install would win over the copy; plain directories do not.
    (packages / "demo.pth").write_text(f"{site}\n{dependencies}\n")
    done = subprocess.run(
        [str(python), "-P", "-m", "console", "demo", "--batch", "--json", "--dir", "demo"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert _verdicts(json.loads(done.stdout)) == FIXTURES
    assert str(CHECKOUT) not in done.stderr


@pytest.mark.slow
@pytest.mark.skipif(
    "DISTILL_REAL_LOGS" not in os.environ, reason="DISTILL_REAL_LOGS names no folder of real logs"
)
def test_real_logs_give_the_verdicts_that_their_own_outcome_fields_name(tmp_path: Path) -> None:
    root, summary = _batch(tmp_path, "--sources", os.environ["DISTILL_REAL_LOGS"])
    assert _verdicts(summary) == REAL_LOGS
    assert {"agbenchmark_reports"}.isdisjoint(row["stream"] for row in _rows(root / paths.SFT_EXPORT))


# In a terminal


@pytest.mark.slow
def test_the_demo_opens_the_console_armed_on_a_run_that_outlives_it(tmp_path: Path) -> None:
    root = tmp_path / "demo"
    argv = [sys.executable, "-P", "-m", "console", "demo", "--rows", "3000", "--dir", str(root)]
    with Terminal(argv, {**os.environ, "TERM": "xterm-256color"}) as terminal:
        terminal.read_until(lambda written: b"OPERATE" in written, "the console armed")
        terminal.send(b"q")
        assert terminal.wait() == 0
    assert b"3000 generated lines" in terminal.written
    wait_until(lambda: list((root / paths.REPORTS).glob("*/summary.json")), "the end of the run")
    assert (root / paths.SFT_EXPORT).stat().st_size > 0
