"""The fair floor of a run: the floor, and what the product's promises cost any program at least.

    python -m tests.benchmarks.fair_floor OUT SOURCE -- ROWS…

Besides parsing every line and writing every row: a digest of each line and of the source, two digests of
each row (with and without its stamp), and two parses of each row into a struct, as one wall that holds
schemas and one that trusts no exporter need them. Prints the CPU seconds of that as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import orjson

from tests.benchmarks.digests import digest_rows, digest_source
from tests.benchmarks.floor import parse_every_line, write_rows

_ROWS_AT_ONCE = 2000
_WALLS = 2


def parse_rows(rows: Path) -> int:
    """Every row into a struct of the members that the first one has; how many there were."""
    with rows.open("rb", buffering=1 << 20) as file:
        first = file.readline()
        if not first:
            return 0
        members = [(name, Any, None) for name in orjson.loads(first) if name.isidentifier()]
        decode = msgspec.json.Decoder(msgspec.defstruct("Row", members)).decode
        decode(first)
        return 1 + sum(1 for line in file if decode(line) is not None)


def main(arguments: list[str]) -> None:
    split = arguments.index("--")
    out, source = (Path(argument) for argument in arguments[:split])
    out.mkdir(parents=True, exist_ok=True)
    start = time.process_time()
    parse_every_line(source)
    digest_source(source)
    spent = time.process_time() - start
    written = 0
    for number, name in enumerate(arguments[split + 1 :]):
        rows, copy = Path(name), out / f"{number}.jsonl"
        with rows.open("rb", buffering=1 << 20) as file:
            while lines := list(islice(file, _ROWS_AT_ONCE)):
                values = [orjson.loads(line) for line in lines]
                start = time.process_time()
                write_rows(values, copy)
                spent += time.process_time() - start
        start = time.process_time()
        digest_rows(rows)
        counted = [parse_rows(rows) for _ in range(_WALLS)]
        spent += time.process_time() - start
        written += counted[0]
    json.dump({"rows": written, "cpu_seconds": spent}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
