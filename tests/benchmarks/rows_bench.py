"""The rows screen over ten million rows, on a real terminal: open, page down, to the end, memory.

    python -m tests.benchmarks.rows_bench

The file is 2.4 GB, written for this and deleted after it. Each time runs from the key to the
paint that shows what was asked for.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from pathlib import Path

from pipeline.contracts import paths
from tests.benchmarks.console_bench import console
from tests.benchmarks.figures import Figure, Table, as_text
from tests.benchmarks.pty_probe import Probe

ROWS = 10_000_000
_PIECE = 10_000
_LIMIT_SECONDS = 0.2
_ROW = (
    b'{"schema_version":1,"run_id":"huge/%016x","task_id":"t%d","stream":"huge","model_name":"gpt-4",'
    b'"instruction":"What is the answer to question %d?","response":"It is 42, as far as anybody can tell.",'
    b'"tokens":%d}\n'
)
_PAGES = 30
_END, _HOME, _PAGE_DOWN = b"\x1b[F", b"\x1b[H", b"\x1b[6~"
_LAST = f"huge/{ROWS - 1:016x}".encode()
_FIRST = f"huge/{0:016x}".encode()


def write_rows(root: Path, rows: int) -> int:
    """A workspace whose only file of rows has so many; its size in bytes."""
    (root / paths.SETTINGS).parent.mkdir(parents=True, exist_ok=True)
    (root / paths.SETTINGS).write_text('[workspace]\nname = "huge"\n', encoding="utf-8")
    path = root / paths.evidence_file("huge")
    path.parent.mkdir(parents=True)
    with path.open("wb", buffering=4 * 2**20) as file:
        for start in range(0, rows, _PIECE):
            file.write(b"".join(_ROW % (n, n, n, n) for n in range(start, min(rows, start + _PIECE))))
    return path.stat().st_size


def measure(root: Path) -> Table:
    size = write_rows(root, ROWS)
    with console(root) as probe:
        probe.seconds_to(rb"DRIFT")
        probe.rest(2.0)
        probe.press(b"D", rb"huge\.jsonl")
        before = probe.resident_bytes()
        opened = probe.press(b"\r", _FIRST)
        early_end = probe.press(_END, _LAST)
        while b"10,000,000 of 10,000,000" not in probe.written:
            probe.rest(0.5)
        probe.press(_HOME, _FIRST)
        pages = [_page(probe, number) for number in range(1, _PAGES + 1)]
        ends = []
        for _ in range(_PAGES // 3):
            ends.append(probe.press(_END, _LAST))
            probe.press(_HOME, _FIRST)
        grown = probe.resident_bytes() - before
    return Table(
        "Rows screen",
        f"{ROWS:,} rows in {size / 1e9:.1f} GB, 120x40; from the key to the paint, the worst of "
        f"{_PAGES} pages. Load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores.",
        (
            Figure("open", opened, _LIMIT_SECONDS, " s", note="counting goes on beside it"),
            Figure("to the end, while lines are counted", early_end, _LIMIT_SECONDS, " s"),
            Figure(
                "page down", max(pages), _LIMIT_SECONDS, " s", note=f"median {statistics.median(pages):.3f} s"
            ),
            Figure(
                "to the end", max(ends), _LIMIT_SECONDS, " s", note=f"median {statistics.median(ends):.3f} s"
            ),
            Figure("memory for it", grown / 1e6, 20.0, " MB", note="resident, after all of this"),
        ),
    )


def _page(probe: Probe, number: int) -> float:
    """One page down; ``number`` counts from the first one. 36 rows stand on a page of 120x40."""
    return probe.press(_PAGE_DOWN, f"huge/{36 * number:016x}".encode())


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        table = measure(Path(directory) / "huge")
    sys.stdout.write(as_text([table]) + "\n" + table.explanation + "\n")


if __name__ == "__main__":
    main()
