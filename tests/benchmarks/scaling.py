"""`make scaling`: what a run costs at 10 thousand, 100 thousand and a million lines; writes docs/scaling.md.

    python -m tests.benchmarks.scaling [--write] [LINES…]

CPU and wall of a run from scratch, of one with nothing changed and of one with a line more, the peak
memory of the process tree and what lies on disk. The page holds what was measured and a picture of the cost
a line; what it says of larger logs is computed from the two largest and called so. Runs of other sizes are
printed only, unless they are to be written.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks import engine_bench, figures, scaling_notes, short_log

CHECKOUT = Path(__file__).resolve().parents[2]
SIZES = (10_000, 100_000, 1_000_000)
_RUN_ONCE_FROM = 2_000_000  # a run of ten million lines takes most of an hour and 50 GB of disk
_COMPUTED = (10_000_000, 1_000_000_000)
_MICRO = 1e6
_WIDTH, _HEIGHT, _MARGIN = 640, 280, 48


@dataclass(frozen=True)
class Measured:
    """Seconds of CPU and wall, and bytes of memory, of runs on so many ``lines``.

    ``disk_bytes`` is all that a run from scratch leaves, ``source_bytes`` what it read.
    """

    lines: int
    cpu_seconds: float
    wall_seconds: float
    unchanged_cpu_seconds: float
    one_more_cpu_seconds: float | None
    peak_bytes: int
    peaks: Mapping[str, int] = field(default_factory=dict)
    source_bytes: int = 0
    disk_bytes: int = 0

    @property
    def micros_a_line(self) -> float:
        return self.cpu_seconds / self.lines * _MICRO


def measure(bench: engine_bench.Bench, lines: int) -> Measured:
    """Runs with two workers on a log of so many short lines; a large one is run from scratch once."""
    workspace = bench.root / f"scaling-{lines}"
    source_bytes = short_log.make_workspace(workspace, lines)
    once = lines >= _RUN_ONCE_FROM
    full = engine_bench.run_all(bench, workspace, workers=2, sample_memory=once)
    disk_bytes = _on_disk(workspace) - source_bytes
    unchanged = engine_bench.run_all(bench, workspace, workers=2, fresh=False)
    one_more, memory = None, full
    if not once:
        short_log.append(workspace / short_log.SOURCE, 1, seed=6)
        one_more = engine_bench.run_all(bench, workspace, workers=2, fresh=False)
        memory = engine_bench.run_all(bench, workspace, workers=2, sample_memory=True)
    shutil.rmtree(workspace)
    return Measured(
        lines,
        full.cpu_seconds,
        full.wall_seconds,
        unchanged.cpu_seconds,
        one_more.cpu_seconds if one_more else None,
        memory.peak_pss_bytes,
        memory.peaks,
        source_bytes,
        disk_bytes,
    )


def _on_disk(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def growth(found: Sequence[Measured]) -> tuple[float, float]:
    """CPU seconds and bytes of memory that each further line costs, from the two largest."""
    small, large = found[-2:]
    more = large.lines - small.lines
    return (large.cpu_seconds - small.cpu_seconds) / more, (large.peak_bytes - small.peak_bytes) / more


def as_markdown(found: Sequence[Measured], facts: Sequence[str]) -> str:
    """The page docs/scaling.md."""
    lines = [
        "# Scaling",
        "",
        "Written by `make scaling`; do not edit. One generated stream of lines of about 120 bytes, two",
        "workers, a run from scratch; then one with nothing changed, and one with a line more.",
        "",
        *(f"- {fact}" for fact in facts),
        "",
        "| lines | CPU s | µs a line | wall s | nothing changed, CPU s | a line more, CPU s | peak memory "
        "| of it engine, workers, firewall | on disk |",
        "|---:|---:|---:|---:|---:|---:|---:|---|---:|",
        *(
            f"| {each.lines:,} | {each.cpu_seconds:.2f} | {each.micros_a_line:.0f} | {each.wall_seconds:.2f} "
            f"| {each.unchanged_cpu_seconds:.2f} | {_seconds(each.one_more_cpu_seconds)} "
            f"| {each.peak_bytes / 1e6:.0f} MB | {_peaks(each)} | {each.disk_bytes / 1e6:.0f} MB |"
            for each in found
        ),
        "",
        "Peak memory is the PSS of the process tree; each part of it is given at its own worst moment. On",
        "disk is what a run leaves beside its source: outputs, and the chunk cache for the next run.",
        "",
        "![µs of CPU a line against lines](scaling.svg)",
    ]
    if len(found) > 1:
        seconds, size = growth(found)
        base = found[-1]
        lines += [
            "",
            "## Computed, not measured",
            "",
            f"Each further line costs {seconds * _MICRO:.0f} µs of CPU and {size:.0f} bytes of memory.",
            "",
            "| lines | CPU | memory |",
            "|---:|---:|---:|",
        ]
        for lines_then in (size for size in _COMPUTED if size > base.lines):
            more = lines_then - base.lines
            hours = (base.cpu_seconds + more * seconds) / 3600
            lines.append(
                f"| {lines_then:,} | {hours:.2f} h | {(base.peak_bytes + more * size) / 1e9:.1f} GB |"
            )
    return "\n".join([*lines, "", *scaling_notes.LINES]) + "\n"


def _seconds(measured: float | None) -> str:
    return "not measured" if measured is None else f"{measured:.2f}"


def _peaks(measured: Measured) -> str:
    return ", ".join(f"{measured.peaks.get(name, 0) / 1e6:.0f}" for name in ("engine", "workers", "firewall"))


def as_svg(found: Sequence[Measured]) -> str:
    """µs of CPU a line as bars, one a size: level bars mean that the cost grows with the lines alone."""
    most = max(each.micros_a_line for each in found)
    room = (_WIDTH - 2 * _MARGIN) / len(found)
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
        'font-size="13" role="img"><title>µs of CPU a line against lines</title>',
        f'<line x1="{_MARGIN}" y1="{_HEIGHT - _MARGIN}" x2="{_WIDTH - _MARGIN}" y2="{_HEIGHT - _MARGIN}" '
        'stroke="currentColor"/>',
    ]
    for number, each in enumerate(found):
        height = (_HEIGHT - 2 * _MARGIN) * each.micros_a_line / most
        left, top = _MARGIN + number * room + room / 4, _HEIGHT - _MARGIN - height
        middle = left + room / 4
        drawn += [
            f'<rect x="{left:.0f}" y="{top:.0f}" width="{room / 2:.0f}" height="{height:.0f}" '
            'fill="#4c78a8"/>',
            f'<text x="{middle:.0f}" y="{top - 6:.0f}" text-anchor="middle" fill="currentColor">'
            f"{each.micros_a_line:.0f} µs</text>",
            f'<text x="{middle:.0f}" y="{_HEIGHT - _MARGIN + 18}" text-anchor="middle" fill="currentColor">'
            f"{each.lines:,} lines</text>",
        ]
    return "\n".join([*drawn, "</svg>"]) + "\n"


def main(arguments: Sequence[str]) -> None:
    sizes = tuple(int(argument) for argument in arguments if argument != "--write") or SIZES
    bench = engine_bench.Bench(CHECKOUT / "out/bench", max(sizes), 1)
    engine_bench.prepare(bench)
    found = []
    for lines in sorted(sizes):
        print(f"measuring: {lines:,} lines", file=sys.stderr, flush=True)  # noqa: T201
        found.append(measure(bench, lines))
    shutil.rmtree(bench.root)
    load = f"one run of each size; load average {os.getloadavg()[2]:.1f} on {os.cpu_count()} cores at the end"
    page = as_markdown(found, [*figures.machine_facts(), load])
    print(page)  # noqa: T201
    if sizes == SIZES or "--write" in arguments:
        (CHECKOUT / "docs/scaling.md").write_text(page, encoding="utf-8")
        (CHECKOUT / "docs/scaling.svg").write_text(as_svg(found), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
