"""`make bench`: measure, print the tables, write docs/benchmarks.md.

DISTILL_BENCH_ROWS (default 200000, about 0.5 GB) and DISTILL_BENCH_REPEATS (default 2) make it
smaller or steadier. Figures of a small run, or of some parts alone (`python -m tests.benchmarks
firewall`), are printed but not written to the docs.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks import (
    console_bench,
    dask_bench,
    engine_bench,
    figures,
    firewall_bench,
    rows_bench,
    steps_bench,
)

CHECKOUT = Path(__file__).resolve().parents[2]
DEFAULT_ROWS = 200_000
FIREWALL_ROWS = 60_000
DASK_ROWS = 50_000


def main() -> None:
    rows = int(os.environ.get("DISTILL_BENCH_ROWS", DEFAULT_ROWS))
    repeats = int(os.environ.get("DISTILL_BENCH_REPEATS", "2"))
    root = CHECKOUT / "out/bench"

    def say(text: str) -> None:
        print(f"measuring: {text}", file=sys.stderr, flush=True)  # noqa: T201

    def firewall() -> figures.Table:
        say("the firewall")
        return figures.Table(
            "Firewall",
            "The scan of one SFT file against programs that only read it: best of five, one thread each.",
            tuple(
                figures.Figure(**figure) for figure in firewall_bench.measure(min(FIREWALL_ROWS, rows), root)
            ),
        )

    def rules() -> figures.Table:
        say("rules of streams")
        return steps_bench.measure()

    def huge_rows() -> figures.Table:
        say("the rows screen, ten million rows")
        return rows_bench.measure(root / "huge")

    def dask() -> figures.Table:
        say("a Dask cluster of two workers")
        return dask_bench.measure(root, min(DASK_ROWS, rows))

    parts: dict[str, Callable[[], figures.Table]] = {
        "engine": lambda: engine_bench.measure(engine_bench.Bench(root, rows, repeats), say),
        "firewall": firewall,
        "console": lambda: console_bench.measure(console_bench.workspace(root), console_bench.Effort(), say),
        "rows": huge_rows,
        "rules": rules,
        "dask": dask,
    }
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Measure this machine.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"all unless said: {', '.join(parts)}")
    wanted = parser.parse_args().parts or list(parts)
    if unknown := sorted(set(wanted) - parts.keys()):
        parser.error(f"no such part: {', '.join(unknown)}")
    root.mkdir(parents=True, exist_ok=True)
    tables = []
    for part, measure in parts.items():
        if part in wanted:
            tables.append(measure())
            print(figures.as_text(tables[-1:]), flush=True)  # noqa: T201
    shutil.rmtree(root)
    if rows >= DEFAULT_ROWS and len(tables) == len(parts):
        page = CHECKOUT / "docs/benchmarks.md"
        page.write_text(figures.as_markdown(tables, figures.machine_facts()), encoding="utf-8")
        print(f"\nwritten to {page.relative_to(CHECKOUT)}")  # noqa: T201


if __name__ == "__main__":
    main()
