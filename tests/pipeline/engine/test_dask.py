"""The same chunks on a Dask cluster: the same hash and bytes, and the same faults."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.pipeline.engine.workspaces import engine, make_workspace, output_bytes, run_all
from tests.waiting import LIMIT_SECONDS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("distributed") is None, reason="needs the optional group dask"),
]

# A process of its own, as a cluster is: it says its address, and ends when its input does.
_CLUSTER = """\
import json, sys
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address=None,
        env=json.loads(sys.argv[1]),
    ) as cluster:
        print(cluster.scheduler_address.removeprefix("tcp://"), flush=True)
        sys.stdin.read()
"""


@contextmanager
def _cluster(folder: Path, env: str = "{}") -> Iterator[str]:
    script = folder / "cluster.py"
    script.write_text(_CLUSTER, encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, script, env],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=folder,
    ) as cluster:
        assert cluster.stdout is not None
        yield f"dask://{cluster.stdout.readline().strip()}"
        cluster.communicate(timeout=LIMIT_SECONDS)


def _options(executor: str) -> tuple[str, ...]:
    return ("--executor", executor, "--workers", "2", "--chunk-bytes", "2KiB")


def test_a_cluster_comes_to_the_same_hash_and_bytes(tmp_path: Path) -> None:
    straight, workspace = make_workspace(tmp_path / "straight"), make_workspace(tmp_path / "w")
    expected = run_all(straight)
    with _cluster(tmp_path) as executor:
        summary = run_all(workspace, *_options(executor))
    assert summary["run_hash"] == expected["run_hash"]
    assert summary["counts"]["chunks_processed"] > 10
    assert output_bytes(workspace) == output_bytes(straight)


def test_a_cluster_that_loses_its_workers_is_a_fault_and_the_run_is_resumed_elsewhere(tmp_path: Path) -> None:
    straight, workspace = make_workspace(tmp_path / "straight"), make_workspace(tmp_path / "w")
    expected = run_all(straight)
    with _cluster(tmp_path, '{"DISTILL_CRASH_AT": "chunk-rows-written"}') as executor:
        finished = engine(workspace, "run-all", *_options(executor))
    assert finished.returncode == 3
    assert "A worker process died" in finished.stderr
    assert output_bytes(workspace) == {}
    assert run_all(workspace)["run_hash"] == expected["run_hash"]


def test_workers_that_know_older_settings_work_by_those_of_the_run(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    with _cluster(tmp_path) as executor:
        run_all(workspace, *_options(executor))
        settings = workspace / "distill.toml"
        settings.write_text(settings.read_text() + "[scoring]\naccept_at = 0.9\n", encoding="utf-8")
        changed = run_all(workspace, *_options(executor))
    assert changed["run_hash"] == run_all(workspace, "--no-cache", "--workers", "1")["run_hash"]


def test_an_address_where_no_scheduler_answers_is_named(tmp_path: Path) -> None:
    finished = engine(make_workspace(tmp_path / "w"), "run-all", "--executor", "dask://127.0.0.1:9")
    assert finished.returncode == 3
    assert "No Dask scheduler answers at 127.0.0.1:9" in finished.stderr
