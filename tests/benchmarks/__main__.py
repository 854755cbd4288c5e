"""`make bench`: measure, print the tables, write docs/benchmarks.md.

DISTILL_BENCH_ROWS (default 200000, about 0.5 GB) and DISTILL_BENCH_REPEATS (default 2) make it
smaller or steadier. Figures of a small run are printed but not written to the docs.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from tests.benchmarks import console_bench, engine_bench, figures, firewall_bench, rows_bench

CHECKOUT = Path(__file__).resolve().parents[2]
DEFAULT_ROWS = 200_000
FIREWALL_ROWS = 60_000


def main() -> None:
    rows = int(os.environ.get("DISTILL_BENCH_ROWS", DEFAULT_ROWS))
    repeats = int(os.environ.get("DISTILL_BENCH_REPEATS", "2"))
    root = CHECKOUT / "out/bench"

    def say(text: str) -> None:
        print(f"measuring: {text}", file=sys.stderr, flush=True)  # noqa: T201

    tables = [engine_bench.measure(engine_bench.Bench(root, rows, repeats), say)]
    say("the firewall")
    scanned = min(FIREWALL_ROWS, rows)
    tables.append(
        figures.Table(
            "Firewall",
            "The scan of one SFT file against programs that only read it: best of five, one thread each.",
            tuple(figures.Figure(**figure) for figure in firewall_bench.measure(scanned, root)),
        )
    )
    tables.append(console_bench.measure(console_bench.workspace(root), console_bench.Effort(), say))
    say("the rows screen, ten million rows")
    tables.append(rows_bench.measure(root / "huge"))
    shutil.rmtree(root)
    print(figures.as_text(tables))  # noqa: T201
    if rows >= DEFAULT_ROWS:
        page = CHECKOUT / "docs/benchmarks.md"
        page.write_text(figures.as_markdown(tables, figures.machine_facts()), encoding="utf-8")
        print(f"\nwritten to {page.relative_to(CHECKOUT)}")  # noqa: T201


if __name__ == "__main__":
    main()
