"""What the receipts of a run cost at least: every digest in them, taken again.

    python -m tests.benchmarks.digests SOURCE -- ROWS…

Per source line one sha256 (the row's identity), one over the source file, one over each
written file and one over its rows without ``recorded_at``. Prints wall seconds as JSON.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from pathlib import Path

_RECORDED_AT = b',"recorded_at":'


def digest_source(source: Path) -> None:
    whole = hashlib.sha256()
    with source.open("rb", buffering=1 << 20) as file:
        for line in file:
            whole.update(line)
            hashlib.sha256(line.rstrip(b"\r\n")).hexdigest()
    whole.hexdigest()


def digest_rows(rows: Path) -> None:
    whole, without_clock = hashlib.sha256(), hashlib.sha256()
    with rows.open("rb", buffering=1 << 20) as file:
        for line in file:
            whole.update(line)
            without_clock.update(line[: line.rfind(_RECORDED_AT)])
    whole.hexdigest()
    without_clock.hexdigest()


def main(arguments: list[str]) -> None:
    split = arguments.index("--")
    start = time.perf_counter()
    digest_source(Path(arguments[0]))
    for name in arguments[split + 1 :]:
        digest_rows(Path(name))
    json.dump({"wall_seconds": time.perf_counter() - start}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
