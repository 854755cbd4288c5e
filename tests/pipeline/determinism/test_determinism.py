"""``distill determinism`` on the demo's data, with the engine as it is and with broken ones."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from console.demo.build import build_workspace
from console.demo.sources import choose_sources
from pipeline.contracts import paths
from pipeline.contracts.discovery import engine_argv
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.trust_commands import MAX_RUNS
from pipeline.determinism.copies import PREFIX
from pipeline.determinism.variants import variants
from pipeline.engine import commit_points
from pipeline.platform.engine_choice import choose_engine, trust_what_we_made


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return build_workspace(tmp_path / "w", choose_sources(None))


def determinism(root: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    temporary = root.parent / "tmp"
    temporary.mkdir(exist_ok=True)
    done = subprocess.run(
        engine_argv(["determinism", "-C", str(root), "--json", *arguments]),
        env={**choose_engine(root).environment(), "TMPDIR": str(temporary)},
        capture_output=True,
        check=False,
    )
    assert list(temporary.glob(f"{PREFIX}*")) == [], "the copies are gone"
    assert done.stdout, done.stderr.decode()
    report: dict[str, Any] = json.loads(done.stdout)
    assert report == json.loads((root / paths.DETERMINISM_REPORT).read_bytes())
    return done.returncode, report


def edit(root: Path, module: str, before: str, after: str) -> None:
    """Break the workspace's own engine in one place."""
    path = root / "pipeline" / module
    text = path.read_text()
    assert text.count(before) == 1, f"{module} has changed; mend this test"
    path.write_text(text.replace(before, after))
    trust_what_we_made(root)


def tree(root: Path) -> dict[str, int]:
    """Every file of the workspace and when it was last changed, but for the report and compiled code."""
    return {
        str(path.relative_to(root)): path.stat().st_mtime_ns
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path != root / paths.DETERMINISM_REPORT
    }


@pytest.mark.slow
def test_the_same_sources_give_the_same_rows_also_after_a_kill(workspace: Path) -> None:
    before = tree(workspace)
    code, report = determinism(workspace, "--runs", "3")
    assert (code, report["ok"], report["difference"]) == (ExitCode.OK, True, None)
    assert len({run["run_hash"] for run in report["runs"]}) == 1
    assert [run["killed"] for run in report["runs"]] == [None, None, True]
    assert tree(workspace) == before


@pytest.mark.slow
def test_a_stage_that_reads_the_clock_is_named_with_the_row_and_the_field(workspace: Path) -> None:
    edit(
        workspace,
        "engine/row_builder.py",
        "            scored = score(evidence, self._thresholds)\n",
        "            scored = score(evidence, self._thresholds)\n"
        "            import time\n"
        '            scored["score"] = round(time.time() % 1, 6)\n',
    )
    code, report = determinism(workspace, "--runs", "2")
    found = report["difference"]
    assert code == ExitCode.CHECK_FAILED
    assert (found["stage"], found["line"], found["fields"]) == ("score", 1, ["score"])
    assert found["file"].startswith("data/scored-runs/")
    assert "differ from stage score on" in report["verdict"]


@pytest.mark.slow
def test_a_run_hash_that_looks_away_does_not_hide_a_difference(workspace: Path) -> None:
    edit(workspace, "engine/run_hash.py", "    return digest_of(covered)", '    return "0" * 64')
    edit(
        workspace,
        "engine/row_builder.py",
        "            scored = score(evidence, self._thresholds)\n",
        "            scored = score(evidence, self._thresholds)\n"
        "            import os\n"
        '            scored["scorer_version"] = os.environ["TZ"]\n',
    )
    code, report = determinism(workspace, "--runs", "2")
    assert code == ExitCode.CHECK_FAILED
    assert len({run["run_hash"] for run in report["runs"]}) == 1
    assert report["difference"]["fields"] == ["scorer_version"]


def test_a_workspace_that_cannot_run_is_no_difference(workspace: Path) -> None:
    edit(
        workspace,
        "engine/run_all.py",
        "    context = WorkContext(workspace, settings)\n",
        "    context = 1 / 0\n",
    )
    code, report = determinism(workspace, "--runs", "2")
    assert code == ExitCode.NOT_EVALUABLE
    assert "ZeroDivisionError" in report["verdict"]


def test_the_last_report_can_be_left_as_it_is(workspace: Path) -> None:
    edit(
        workspace,
        "engine/run_all.py",
        "    context = WorkContext(workspace, settings)\n",
        "    context = 1 / 0\n",
    )
    path = workspace / paths.DETERMINISM_REPORT
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("the last one")
    argv = engine_argv(["determinism", "-C", str(workspace), "--no-report", "--runs", "2"])
    done = subprocess.run(argv, env=choose_engine(workspace).environment(), capture_output=True, check=False)
    assert done.returncode == ExitCode.NOT_EVALUABLE
    assert path.read_text() == "the last one"


def test_the_variants_differ_in_all_that_must_not_show() -> None:
    chosen = variants(5)
    for name in ("workers", "chunk_bytes", "hash_seed", "zone", "locale", "umask"):
        assert len({getattr(variant, name) for variant in chosen}) >= 3, name
    # Each cuts the sources elsewhere; the straight one the least often.
    assert [variant.chunk_bytes // 1024 for variant in chosen] == [2048, 128, 1024, 512, 256]
    kills = [variant.crash_at for variant in chosen if variant.crash_at]
    assert kills
    assert {kill.partition(":")[0] for kill in kills} <= set(commit_points.NAMES)


def test_many_runs_have_different_names_and_chunks_that_can_be() -> None:
    chosen = variants(MAX_RUNS)
    assert len({variant.name for variant in chosen}) == MAX_RUNS
    assert min(variant.chunk_bytes for variant in chosen) >= 1024
