"""The engine's figures: `run-all` against its floor, workers, second runs, memory, start.

Every run is a fresh process on a workspace of its own below ``out/bench``, with a copy of the
engine: a file that is edited meanwhile would void its caches. Times are the best of ``repeats``
runs, because other work on the machine only ever adds to them.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from console.demo import generated_log, sources
from pipeline.contracts import discovery, paths
from pipeline.contracts.faults import ExitCode
from tests.benchmarks.figures import Figure, Table
from tests.benchmarks.measured_process import Cost, run, seconds_to_line

RECORDED_AT = "2026-01-01T00:00:00Z"
SMALL_SHARE = 10  # the small memory workspace has a tenth of the rows
_MEGABYTE = 1e6
SOURCE = paths.KNOWLEDGE_BASE / generated_log.FILE_NAME
_OUTPUTS = (paths.EVIDENCE, paths.SCORED_RUNS, paths.EXPORTS)


@dataclass(frozen=True)
class Bench:
    """Where the measuring happens, and how much of it."""

    root: Path
    rows: int
    repeats: int

    @property
    def log(self) -> Path:
        return self.root / "stderr.log"

    @property
    def environment(self) -> dict[str, str]:
        """An environment in which ``pipeline`` is the copy that ``measure`` made."""
        chosen = discovery.EngineChoice("workspace", self.root / "engine", "benchmark").environment()
        # Operators have compiled modules; without them every start would be measured as the first one.
        return {name: value for name, value in chosen.items() if name != "PYTHONDONTWRITEBYTECODE"}


def prepare(bench: Bench) -> None:
    """An empty folder with a copy of the engine."""
    shutil.rmtree(bench.root, ignore_errors=True)
    shutil.copytree(
        sources.engine_package(),
        bench.root / "engine/pipeline",
        ignore=shutil.ignore_patterns("__pycache__"),
    )


def measure(bench: Bench, say: Callable[[str], None]) -> Table:
    """All engine figures. ``say`` is told what is being measured now."""
    prepare(bench)
    large, small = bench.root / "large", bench.root / "small"
    say(f"generating {bench.rows} and {bench.rows // SMALL_SHARE} lines")
    log = make_workspace(large, bench.rows)
    make_workspace(small, bench.rows // SMALL_SHARE)

    say("one worker from scratch")
    one = _best(bench, lambda: run_all(bench, large, workers=1))
    rows = _row_files(large)
    say("the floor of that run")
    floor = _best_json(bench, ["tests.benchmarks.floor", str(bench.root / "floor"), *_named(large, rows)])
    fair = _best_json(bench, ["tests.benchmarks.fair_floor", str(bench.root / "floor"), *_named(large, rows)])
    say("the digests of that run")
    digests = _best_json(bench, ["tests.benchmarks.digests", *_named(large, rows)], key="wall_seconds")
    say("two workers from scratch")
    two = _best(bench, lambda: run_all(bench, large, workers=2))
    say("nothing changed, then 1 % of the lines appended")
    start = min(_python(bench, ["-c", ""]).wall_seconds for _ in range(5))
    unchanged = _best(bench, lambda: run_all(bench, large, workers=2, fresh=False))
    append(large / SOURCE, bench.rows // 100)
    appended = run_all(bench, large, workers=2, fresh=False)
    say("memory")
    memory = _memory_figures(bench, large, small, log.size_bytes)
    say("start")
    return Table(
        "Engine",
        f"`run-all` on one generated stream: {bench.rows} lines, {_megabytes(log.size_bytes)}, {log.bad} of "
        f"the lines bad; {floor['rows']:.0f} rows written. Best of {bench.repeats}. One worker: "
        f"{one.wall_seconds:.2f} s wall, {one.cpu_seconds:.2f} s CPU "
        f"({bench.rows / one.wall_seconds:,.0f} lines/s); two workers: {two.wall_seconds:.2f} s wall, "
        f"{two.cpu_seconds:.2f} s CPU; floor: {floor['cpu_seconds']:.2f} s CPU; "
        f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores when it ended.",
        (
            Figure(
                "`run-all`, one worker, CPU / floor CPU",
                one.cpu_seconds / floor["cpu_seconds"],
                4.5,
                "×",
                note="floor: loads of every line, dumps, sha256 and write of the same rows",
            ),
            Figure(
                "`run-all`, one worker, CPU / fair floor CPU",
                one.cpu_seconds / fair["cpu_seconds"],
                2,
                "×",
                note="and digests of lines and source, a second digest of each row, two parses of each row",
            ),
            *_worker_figures(one.wall_seconds, two.wall_seconds),
            Figure(
                "receipts and hashes / run wall",
                100 * digests["wall_seconds"] / one.wall_seconds,
                10,
                " %",
                note="every digest of the receipts taken again by itself, against one worker",
            ),
            Figure(
                "second run, nothing changed / first",
                100 * (unchanged.wall_seconds - start) / two.wall_seconds,
                2,
                " %",
                note=f"{unchanged.wall_seconds:.2f} s, less the interpreter's own start of {start:.3f} s",
            ),
            Figure(
                "1 % of the lines appended / first",
                100 * appended.wall_seconds / two.wall_seconds,
                15,
                " %",
                note=f"{appended.wall_seconds:.2f} s",
            ),
            *memory,
            *_start_figures(bench, small),
        ),
    )


def serial_share(one_worker: float, two_workers: float) -> float:
    """The share of a run's wall time that a second worker did not halve, from 0 to 1 (Amdahl)."""
    return min(1.0, max(0.0, 2 * two_workers / one_worker - 1))


def speed_up(serial: float, cores: int) -> float:
    """How many times as fast ``cores`` make a run of which the share ``serial`` cannot be divided."""
    return 1 / (serial + (1 - serial) / cores)


def _worker_figures(one_worker: float, two_workers: float) -> list[Figure]:
    serial = serial_share(one_worker, two_workers)
    allowed = ", ".join(f"{speed_up(serial, cores):.1f}× on {cores} cores" for cores in (8, 32))
    return [
        Figure("two workers / one worker, wall", two_workers / one_worker, 0.57, "×"),
        Figure("serial share of that", 100 * serial, 10, " %", note=f"it allows {allowed}; computed"),
    ]


def _memory_figures(bench: Bench, large: Path, small: Path, large_bytes: int) -> list[Figure]:
    small_one = run_all(bench, small, workers=1, sample_memory=True).peak_pss_bytes
    small_two = run_all(bench, small, workers=2, sample_memory=True).peak_pss_bytes
    large_two = run_all(bench, large, workers=2, sample_memory=True).peak_pss_bytes
    more_rows = bench.rows - bench.rows // SMALL_SHARE
    growth = (large_two - small_two) / more_rows
    return [
        Figure(
            "peak memory, small source, one worker", small_one / _MEGABYTE, 70, " MB", note="PSS of the tree"
        ),
        Figure(
            "peak memory, small source, two workers", small_two / _MEGABYTE, 80, " MB", note="PSS of the tree"
        ),
        Figure(
            "memory growth from small to large",
            growth,
            None,
            " B/line",
            note=f"{_megabytes(small_two)} at {_megabytes(large_bytes / SMALL_SHARE)} of sources, "
            f"{_megabytes(large_two)} at {_megabytes(large_bytes)}; the row index is what grows",
        ),
    ]


def _start_figures(bench: Bench, workspace: Path) -> list[Figure]:
    def first_progress() -> float:
        _forget(workspace)
        argv = discovery.engine_argv(["run-all", "-C", str(workspace), "--workers", "2", "--events", "-"])
        return seconds_to_line(argv, b'"stage.progress"', env=bench.environment, log=bench.log)

    def cpu_of(module: str, *arguments: str) -> float:
        argv = [sys.executable, "-P", "-m", module, *arguments, "-C", str(workspace)]
        costs = [
            run(argv, env=bench.environment, log=bench.log, allowed=ExitCode.CHECK_FAILED) for _ in range(5)
        ]
        return min(cost.cpu_seconds for cost in costs)

    help_argv = [sys.executable, "-P", "-m", "console", "--help"]
    return [
        Figure("first progress event after the command", min(first_progress() for _ in range(5)), 0.4, " s"),
        Figure("`distill status`, CPU", cpu_of("console", "status"), 0.25, " s"),
        Figure("`distill runbook detect`, CPU", cpu_of("console", "runbook", "detect"), 0.8, " s"),
        Figure(
            "`distill --help`",
            min(run(help_argv, env=bench.environment, log=bench.log).wall_seconds for _ in range(10)),
            0.15,
            " s",
        ),
    ]


def make_workspace(root: Path, rows: int) -> generated_log.GeneratedLog:
    root.mkdir(parents=True)
    (root / paths.SETTINGS).write_text(generated_log.STREAM, encoding="utf-8")
    return generated_log.generate(root / SOURCE, rows)


def append(source: Path, rows: int) -> None:
    extra = source.with_name("appended")
    generated_log.generate(extra, rows, seed=12)
    with source.open("ab") as file:
        file.write(extra.read_bytes())
    extra.unlink()


def run_all(
    bench: Bench,
    workspace: Path,
    *,
    workers: int,
    fresh: bool = True,
    sample_memory: bool = False,
    executor: str = "processes",
) -> Cost:
    if fresh:
        _forget(workspace)
    options = ["--workers", str(workers), "--executor", executor, "--recorded-at", RECORDED_AT]
    argv = discovery.engine_argv(["run-all", "-C", str(workspace), *options])
    return run(argv, env=bench.environment, log=bench.log, sample_memory=sample_memory)


def _forget(workspace: Path) -> None:
    """Remove all that a run leaves, so that the next one starts from scratch."""
    for place in (*_OUTPUTS, paths.STATE, paths.REPORTS):
        shutil.rmtree(workspace / place, ignore_errors=True)


def _row_files(workspace: Path) -> list[Path]:
    written = [path for place in _OUTPUTS for path in (workspace / place).rglob("*.jsonl")]
    return [*sorted(written), workspace / paths.DISTILLATION_SKIPS]


def _named(workspace: Path, rows: Sequence[Path]) -> list[str]:
    return [str(workspace / SOURCE), "--", *(str(path) for path in rows)]


def _best(bench: Bench, once: Callable[[], Cost]) -> Cost:
    """The least wall and the least CPU of several runs; they need not be the same run's."""
    costs = [once() for _ in range(bench.repeats)]
    best = min(costs, key=lambda cost: cost.wall_seconds)
    return Cost(best.wall_seconds, min(cost.cpu_seconds for cost in costs), 0, best.stdout)


def _best_json(bench: Bench, module: Sequence[str], key: str = "cpu_seconds") -> dict[str, float]:
    results: list[dict[str, float]] = []
    for _ in range(bench.repeats):
        shutil.rmtree(bench.root / "floor", ignore_errors=True)
        results.append(json.loads(_python(bench, ["-m", *module]).stdout))
    return min(results, key=lambda result: result[key])


def _python(bench: Bench, arguments: Sequence[str]) -> Cost:
    return run([sys.executable, *arguments], env=bench.environment, log=bench.log)


def _megabytes(size_bytes: float) -> str:
    return f"{size_bytes / _MEGABYTE:.0f} MB"
