"""The smaller job, as users of comparable tools would write it: read, keep what passed, write a chat row.

    python -m tests.benchmarks.peer_jobs PEER SOURCE OUT

The runs of SOURCE that have full marks are written as ``{"task_id", "prompt", "completion"}``, on one core.
Prints ``{"version", "kept"}`` as JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

FULL_MARKS = 1.0


def with_datatrove(source: Path, out: Path) -> int:
    """Reader, filter and writer of datatrove, one task in this process."""
    from datatrove.executor.local import LocalPipelineExecutor
    from datatrove.pipeline.filters import LambdaFilter
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers.jsonl import JsonlWriter

    def as_document(_reader: object, row: dict[str, Any], _path: str, _number: int | str) -> dict[str, Any]:
        kept = {"prompt": row["prompt"], "score": row["outcome"]["score"]}
        return {"id": row["task"], "text": row["response"], "metadata": kept}

    def as_row(_writer: object, document: Any) -> dict[str, Any]:
        return {
            "task_id": document.id,
            "prompt": document.metadata["prompt"],
            "completion": document.text,
        }

    LocalPipelineExecutor(
        pipeline=[
            JsonlReader(str(source.parent), adapter=as_document, glob_pattern=source.name),
            LambdaFilter(lambda document: bool(document.metadata["score"] == FULL_MARKS)),
            JsonlWriter(str(out), compression=None, adapter=as_row),
        ],
        logging_dir=str(out / "log"),
        tasks=1,
        workers=1,
    ).run()
    return _lines(out.glob("*.jsonl"))


def with_datasets(source: Path, out: Path) -> int:
    """``filter`` and ``map`` of Hugging Face datasets, with a cache of its own."""
    from datasets import load_dataset

    loaded = load_dataset("json", data_files=str(source), split="train", cache_dir=str(out / "cache"))
    passed = loaded.filter(lambda row: row["outcome"]["score"] == FULL_MARKS)
    passed.map(
        lambda row: {"task_id": row["task"], "prompt": row["prompt"], "completion": row["response"]},
        remove_columns=loaded.column_names,
    ).to_json(out / "rows.jsonl")
    return _lines([out / "rows.jsonl"])


def with_duckdb(source: Path, out: Path) -> int:
    """One statement on one thread."""
    import duckdb

    kept = (
        f"SELECT task AS task_id, prompt, response AS completion FROM log WHERE outcome.score = {FULL_MARKS}"  # noqa: S608
    )
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.read_json(str(source), format="newline_delimited").create_view("log")
        connection.execute(f"COPY ({kept}) TO '{out / 'rows.jsonl'}' (FORMAT json)")
    return _lines([out / "rows.jsonl"])


def with_polars(source: Path, out: Path) -> int:
    """A lazy scan that is sunk into a file."""
    import polars

    polars.scan_ndjson(source).filter(polars.col("outcome").struct.field("score") == FULL_MARKS).select(
        polars.col("task").alias("task_id"), "prompt", polars.col("response").alias("completion")
    ).sink_ndjson(out / "rows.jsonl")
    return _lines([out / "rows.jsonl"])


PEERS: dict[str, Callable[[Path, Path], int]] = {
    "datatrove": with_datatrove,
    "datasets": with_datasets,
    "duckdb": with_duckdb,
    "polars": with_polars,
}


def _lines(files: Iterator[Path] | list[Path]) -> int:
    return sum(path.read_bytes().count(b"\n") for path in files)


def main(arguments: list[str]) -> None:
    peer, source, out = arguments[0], Path(arguments[1]), Path(arguments[2])
    out.mkdir(parents=True)
    kept = PEERS[peer](source, out)
    print(json.dumps({"version": metadata.version(peer), "kept": kept}))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
