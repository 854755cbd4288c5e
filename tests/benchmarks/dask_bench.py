"""A Dask cluster of two workers on this machine beside two processes of the engine: wall, and one hash."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.contracts import paths
from tests.benchmarks import engine_bench
from tests.benchmarks.figures import Figure, Table
from tests.benchmarks.measured_process import CommandFailedError

# A process of its own, as a cluster is: it says its address, and ends when its input does.
_CLUSTER = """\
import sys
from distributed import LocalCluster

if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""
_UNDER_WAY = 4  # chunks: twice the workers, as docs/operations/cluster.md says


def measure(root: Path, rows: int) -> Table:
    """Runs from scratch on ``rows`` generated lines. Raises CommandFailedError where the hashes differ."""
    bench = engine_bench.Bench(root / "dask", rows, 1)
    engine_bench.prepare(bench)
    workspace = bench.root / "workspace"
    engine_bench.make_workspace(workspace, rows)
    processes = engine_bench.run_all(bench, workspace, workers=2)
    expected = _run_hash(workspace)
    with _cluster(bench) as address:
        cluster = engine_bench.run_all(bench, workspace, workers=_UNDER_WAY, executor=address)
    if _run_hash(workspace) != expected:
        raise CommandFailedError("the run on Dask ended with another hash than that of two processes")
    return Table(
        "Dask",
        f"`run-all` on {rows:,} generated lines, once: a cluster of two workers on this machine beside "
        f"two processes of the engine; both end with the same hash. Load average {os.getloadavg()[0]:.1f} on "
        f"{os.cpu_count()} cores when they ended.",
        (
            Figure(
                "two Dask workers / two processes, wall",
                cluster.wall_seconds / processes.wall_seconds,
                1.3,
                "×",
                note=f"{cluster.wall_seconds:.2f} s and {processes.wall_seconds:.2f} s; outputs are written "
                "by the process that was started, one after the other",
            ),
        ),
    )


@contextmanager
def _cluster(bench: engine_bench.Bench) -> Iterator[str]:
    script = bench.root / "cluster.py"
    script.write_text(_CLUSTER, encoding="utf-8")
    # Workers of another engine than the run's are refused.
    env = {**bench.environment, "PYTHONPATH": str(bench.root / "engine")}
    with (
        bench.log.open("ab") as errors,
        subprocess.Popen(
            [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env=env
        ) as process,
    ):
        assert process.stdout is not None
        try:
            yield process.stdout.readline().decode().strip().replace("tcp://", "dask://")
        finally:
            process.communicate()


def _run_hash(workspace: Path) -> str:
    """That of the last run."""
    run = json.loads((workspace / paths.RUN_STATE).read_bytes())["pipeline_run_id"]
    summary = json.loads((workspace / paths.summary_file(run)).read_bytes())
    return str(summary["run_hash"])
