"""The floor of a run: the least that any program doing the same job has to spend.

    python -m tests.benchmarks.floor OUT SOURCE -- ROWS…

Parses every line of SOURCE once, then serialises, hashes and writes exactly the rows that the
measured run wrote to ROWS. Prints the CPU seconds of that as JSON. Reading the rows back to
have something to serialise is not part of the job and is not counted.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

_ROWS_AT_ONCE = 2000


def parse_every_line(source: Path) -> tuple[int, int]:
    """(lines, lines that are no JSON)."""
    lines = bad = 0
    with source.open("rb", buffering=1 << 20) as file:
        for line in file:
            lines += 1
            try:
                orjson.loads(line)
            except orjson.JSONDecodeError:
                bad += 1
    return lines, bad


def write_rows(rows: list[Any], out: Path) -> str:
    """Serialise, hash and append ``rows``; the digest is returned so that nothing is left out."""
    digest = hashlib.sha256()
    with out.open("ab", buffering=1 << 20) as file:
        for row in rows:
            line = orjson.dumps(row) + b"\n"
            digest.update(line)
            file.write(line)
    return digest.hexdigest()


def _blocks(path: Path) -> Iterator[list[Any]]:
    with path.open("rb", buffering=1 << 20) as file:
        while lines := list(islice(file, _ROWS_AT_ONCE)):
            yield [orjson.loads(line) for line in lines]


def main(arguments: list[str]) -> None:
    split = arguments.index("--")
    out, source = (Path(argument) for argument in arguments[:split])
    out.mkdir(parents=True, exist_ok=True)
    start = time.process_time()
    lines, bad = parse_every_line(source)
    parsing = time.process_time() - start
    writing = 0.0
    written = 0
    for number, name in enumerate(arguments[split + 1 :]):
        for block in _blocks(Path(name)):
            start = time.process_time()
            write_rows(block, out / f"{number}.jsonl")
            writing += time.process_time() - start
            written += len(block)
    json.dump(
        {"lines": lines, "bad": bad, "rows": written, "cpu_seconds": parsing + writing, "parsing": parsing},
        sys.stdout,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
