"""The same chunks on a Dask cluster: the same hash and bytes, whoever dies, and the same faults."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import pipeline
from pipeline.contracts import paths
from pipeline.contracts.discovery import engine_argv
from pipeline.engine.code_digest import engine_digest
from pipeline.engine.work_context import ContextName, unfit
from pipeline.platform.lock import hold_workspace
from tests.pipeline.engine.workspaces import RECORDED_AT, engine, make_workspace, output_bytes, run_all
from tests.waiting import LIMIT_SECONDS, is_alive, wait_until

# A process of its own, as a cluster is: it says its address and workers, and ends when its input does.
_CLUSTER = """\
import json, sys
import dask
from distributed import LocalCluster

asked = json.loads(sys.argv[1])

if __name__ == "__main__":
    dask.config.set({"distributed.scheduler.allowed-failures": asked.get("failures", 3)})
    with LocalCluster(
        n_workers=2, host="127.0.0.1", dashboard_address=None,
        threads_per_worker=asked.get("threads", 1), env=asked.get("env", {}),
    ) as cluster:
        pids = [nanny.process.pid for nanny in cluster.workers.values()]
        print(cluster.scheduler_address.removeprefix("tcp://"), *pids, flush=True)
        sys.stdin.read()
"""


class _Cluster:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self.process = process
        self.address, *pids = process.stdout.readline().split()
        self.workers = [int(pid) for pid in pids]

    @property
    def options(self) -> tuple[str, ...]:
        return ("--executor", f"dask://{self.address}", "--workers", "2", "--chunk-bytes", "2KiB")


@contextmanager
def _cluster(folder: Path, asked: str = "{}", python_path: Path | None = None) -> Iterator[_Cluster]:
    script = folder / "cluster.py"
    script.write_text(_CLUSTER, encoding="utf-8")
    env = os.environ if python_path is None else {**os.environ, "PYTHONPATH": str(python_path)}
    with subprocess.Popen(
        [sys.executable, script, asked],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=folder,
        env=env,
        start_new_session=True,
    ) as process:
        try:
            yield _Cluster(process)
            process.communicate(timeout=LIMIT_SECONDS)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Cluster]:
    with _cluster(tmp_path_factory.mktemp("cluster")) as started:
        yield started


def test_a_cluster_comes_to_the_same_hash_and_bytes(tmp_path: Path, cluster: _Cluster) -> None:
    straight, workspace = make_workspace(tmp_path / "straight"), make_workspace(tmp_path / "w")
    expected = run_all(straight)
    summary = run_all(workspace, *cluster.options)
    assert summary["run_hash"] == expected["run_hash"]
    assert summary["counts"]["chunks_processed"] > 10
    assert output_bytes(workspace) == output_bytes(straight)


def test_workers_that_know_older_settings_work_by_those_of_the_run(tmp_path: Path, cluster: _Cluster) -> None:
    workspace = make_workspace(tmp_path / "w")
    run_all(workspace, *cluster.options)
    settings = workspace / "distill.toml"
    settings.write_text(settings.read_text() + "[scoring]\naccept_at = 0.9\n", encoding="utf-8")
    changed = run_all(workspace, *cluster.options)
    assert changed["run_hash"] == run_all(workspace, "--no-cache", "--workers", "1")["run_hash"]


def test_workers_of_several_threads_come_to_the_same_bytes(tmp_path: Path) -> None:
    straight, workspace = make_workspace(tmp_path / "straight"), make_workspace(tmp_path / "w")
    run_all(straight)
    with _cluster(tmp_path, '{"threads": 4}') as cluster:
        run_all(workspace, *cluster.options)
    assert output_bytes(workspace) == output_bytes(straight)


def test_workers_that_die_cost_only_the_chunks_that_they_held(tmp_path: Path) -> None:
    straight, workspace = make_workspace(tmp_path / "straight"), make_workspace(tmp_path / "w")
    expected = run_all(straight)
    with _cluster(tmp_path, '{"env": {"DISTILL_CRASH_AT": "chunk-rows-written:6"}}') as cluster:
        summary = run_all(workspace, *cluster.options)
        assert not any(map(is_alive, cluster.workers))
    assert summary["run_hash"] == expected["run_hash"]
    assert output_bytes(workspace) == output_bytes(straight)


def test_a_chunk_that_kills_each_worker_is_a_fault_and_the_run_is_resumed_elsewhere(tmp_path: Path) -> None:
    straight, workspace = make_workspace(tmp_path / "straight"), make_workspace(tmp_path / "w")
    expected = run_all(straight)
    asked = '{"env": {"DISTILL_CRASH_AT": "chunk-rows-written"}, "failures": 0}'
    with _cluster(tmp_path, asked) as cluster:
        finished = engine(workspace, "run-all", *cluster.options)
    assert finished.returncode == 3
    assert "Dask gave a chunk up: each worker that took it died" in finished.stderr
    assert output_bytes(workspace) == {}
    assert run_all(workspace)["run_hash"] == expected["run_hash"]


def test_a_scheduler_that_goes_away_ends_the_run_and_one_that_comes_back_takes_it_up(tmp_path: Path) -> None:
    straight, workspace = make_workspace(tmp_path / "straight"), make_workspace(tmp_path / "w")
    expected = run_all(straight, "--chunk-bytes", "2KiB")
    kept = workspace / paths.CHUNK_CACHE
    # Workers that die now and then keep the run going until the scheduler is gone.
    with _cluster(tmp_path, '{"env": {"DISTILL_CRASH_AT": "chunk-rows-written:6"}}') as cluster:
        command = engine_argv(
            ["run-all", "-C", str(workspace), "--recorded-at", RECORDED_AT, *cluster.options]
        )
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as run:
            wait_until(lambda: any(kept.rglob("*.index")), "a chunk is finished")
            os.killpg(cluster.process.pid, signal.SIGKILL)
            _, said = run.communicate(timeout=LIMIT_SECONDS)
    assert run.returncode == 3, said
    assert f"The Dask scheduler at {cluster.address} went away during the run." in said
    assert len(said.splitlines()) == 3, said
    assert output_bytes(workspace) == {}
    with _cluster(tmp_path) as again:
        summary = run_all(workspace, *again.options)
    assert summary["run_hash"] == expected["run_hash"]
    assert summary["counts"]["chunks_processed"] < expected["counts"]["chunks_processed"]


def test_workers_with_another_engine_are_refused_before_the_first_chunk(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    other = tmp_path / "other"
    shutil.copytree(Path(str(pipeline.__file__)).parent, other / "pipeline")
    with (other / "pipeline" / "stages" / "scoring_rules.py").open("a", encoding="utf-8") as rules:
        rules.write("# another engine\n")
    with _cluster(tmp_path, python_path=other) as cluster:
        finished = engine(workspace, "run-all", *cluster.options)
    assert finished.returncode == 3
    assert f", the run {engine_digest()[:12]}." in finished.stderr
    assert not list((workspace / paths.CHUNK_CACHE).rglob("*.index"))


def test_a_worker_says_that_it_does_not_see_the_workspace(tmp_path: Path) -> None:
    def refusal(workspace: Path, run: str, engine: str = engine_digest()) -> str | None:
        fault = unfit(ContextName(str(workspace), "", engine, run))
        return None if fault is None else fault.code

    with hold_workspace(tmp_path, command="run-all", pipeline_run_id="r1"):
        assert refusal(tmp_path, "r1") is None
        assert refusal(tmp_path, "r2") == "worker_sees_no_workspace"  # another one at the same path
    assert refusal(tmp_path / "nowhere", "r1") == "worker_sees_no_workspace"
    assert refusal(tmp_path, "r1", engine="0" * 64) == "worker_engine_differs"


def test_an_address_where_no_scheduler_answers_is_named(tmp_path: Path) -> None:
    finished = engine(make_workspace(tmp_path / "w"), "run-all", "--executor", "dask://127.0.0.1:9")
    assert finished.returncode == 3
    assert "No Dask scheduler answers at 127.0.0.1:9" in finished.stderr
