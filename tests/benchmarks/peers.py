"""`make bench-peers`: the whole job of ours against a smaller one of comparable tools, lines a CPU second.

Theirs is filter, map and write (`peer_jobs`); ours maps, scores, holds walls, pairs, exports and verifies.
Every program reads the same generated log without bad lines, which most of them cannot read, on one core:
imports and start are counted, as a person waits for them. Prints its table and keeps nothing.
DISTILL_BENCH_ROWS (default 50000) and DISTILL_BENCH_REPEATS (default 3) make it smaller or steadier.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from console.demo import generated_log
from pipeline.contracts import paths
from tests.benchmarks import engine_bench, figures
from tests.benchmarks.measured_process import Cost, run
from tests.benchmarks.peer_jobs import PEERS

CHECKOUT = Path(__file__).resolve().parents[2]
ROWS = 50_000
# Least lines a CPU second of ours against rows a CPU second of the peer; the others are stated.
GOALS = {"datatrove": 0.6, "datasets": 1.3}


class DifferentJobError(Exception):
    """Two programs kept different numbers of rows: their times say nothing about each other."""


def measure(rows: int, repeats: int) -> figures.Table:
    """The rounds interleave the programs; each figure is the median of its CPU seconds."""
    bench = engine_bench.Bench(CHECKOUT / "out/bench-peers", rows, repeats)
    engine_bench.prepare(bench)
    workspace = bench.root / "workspace"
    source = workspace / engine_bench.SOURCE
    workspace.mkdir()
    (workspace / paths.SETTINGS).write_text(generated_log.STREAM, encoding="utf-8")
    log = generated_log.generate(source, rows, bad_share=0)

    ours: list[float] = []
    theirs: dict[str, list[float]] = {peer: [] for peer in PEERS}
    told: dict[str, dict[str, Any]] = {}
    for _ in range(repeats):
        for peer, seconds in theirs.items():
            cost = _peer(bench, peer, source)
            seconds.append(cost.cpu_seconds)
            told[peer] = json.loads(cost.stdout.splitlines()[-1])
        ours.append(engine_bench.run_all(bench, workspace, workers=1).cpu_seconds)
    shutil.rmtree(bench.root)
    kept = rows_kept(told)
    own = rows / statistics.median(ours)
    return figures.Table(
        "Peers",
        f"{log.rows:,} lines, {log.size_bytes / 1e6:.0f} MB, {kept:,} rows kept by each peer; "
        f"ours: {own:,.0f} lines a CPU second for the whole job. Medians of {repeats}, one worker.",
        tuple(
            figures.Figure(
                f"ours, whole job / {peer} {told[peer]['version']}, filter, map and write",
                own / (rows / statistics.median(seconds)),
                GOALS.get(peer),
                "×",
                higher_is_better=True,
                note=f"{rows / statistics.median(seconds):,.0f} rows a CPU second",
            )
            for peer, seconds in theirs.items()
        ),
    )


def rows_kept(told: Mapping[str, Mapping[str, Any]]) -> int:
    """How many rows each peer kept. Raises DifferentJobError where they differ."""
    if len({answer["kept"] for answer in told.values()}) != 1:
        raise DifferentJobError(f"rows kept: {dict(told)}")
    return int(next(iter(told.values()))["kept"])


def _peer(bench: engine_bench.Bench, peer: str, source: Path) -> Cost:
    out = bench.root / "peer"
    shutil.rmtree(out, ignore_errors=True)
    offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    one_core = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}
    argv = [sys.executable, "-m", "tests.benchmarks.peer_jobs", peer, str(source), str(out)]
    return run(argv, env={**os.environ, **offline, **one_core}, log=bench.log)


def main() -> None:
    rows = int(os.environ.get("DISTILL_BENCH_ROWS", ROWS))
    table = measure(rows, int(os.environ.get("DISTILL_BENCH_REPEATS", "3")))
    print(figures.as_text([table]))  # noqa: T201
    print("\n".join(f"  {figure.what}: {figure.note}" for figure in table.figures))  # noqa: T201


if __name__ == "__main__":
    main()
