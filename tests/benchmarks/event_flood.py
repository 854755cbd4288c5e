"""A run that only talks: holds the workspace's lock and writes events at a given rate.

    python -m tests.benchmarks.event_flood ROOT EVENTS_PER_SECOND [--counter]

Half of the events are progress, half are log lines. ``--counter`` writes progress alone, in which
one count grows by one. It ends when it is killed, as a run does that dies.
"""

from __future__ import annotations

import argparse
import fcntl
import getpass
import os
import socket
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import orjson

from pipeline.contracts import paths

_BURST_SECONDS = 0.01
_STREAMS = ("agbenchmark_reports", "mint_runs", "taubench_airline")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("rate", type=float)
    parser.add_argument("--counter", action="store_true")
    asked = parser.parse_args()
    flood(asked.root, asked.rate, only_counter=asked.counter)


def flood(root: Path, rate: float, *, only_counter: bool) -> None:
    """Write ``rate`` events a second until killed."""
    now = datetime.now(UTC)
    run_id = f"{now:%Y%m%dT%H%M%SZ}-{os.getpid() % 0xFFFF:04x}"
    held = _hold_lock(root, run_id, now)
    folder = root / Path(paths.events_file(run_id)).parent
    folder.mkdir(parents=True, exist_ok=True)
    with held, (root / paths.events_file(run_id)).open("ab", buffering=0) as file:
        file.write(_started(root, run_id) + _line(2, "stage.started", stage="materialize", bytes_total=10**9))
        begun, written = time.monotonic(), 0
        while True:
            due = int((time.monotonic() - begun) * rate)
            lines = [_event(number, only_counter=only_counter) for number in range(written, due)]
            if lines:
                file.write(b"".join(lines))
            written = due
            time.sleep(_BURST_SECONDS)


def _hold_lock(root: Path, run_id: str, now: datetime) -> TextIO:
    path = root / paths.LOCK
    path.parent.mkdir(exist_ok=True)
    file = path.open("w")
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    said = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "user": getpass.getuser(),
        "command": "run-all",
        "pipeline_run_id": run_id,
        "since": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "argv": ["run-all"],
    }
    file.write(orjson.dumps(said).decode() + "\n")
    file.flush()
    return file


def _line(seq: int, kind: str, **fields: object) -> bytes:
    at = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return orjson.dumps({"type": kind, "seq": seq, "at": at, **fields}) + b"\n"


def _started(root: Path, run_id: str) -> bytes:
    return _line(
        1,
        "run.started",
        pipeline_run_id=run_id,
        command="run-all",
        workspace=str(root),
        pid=os.getpid(),
        host=socket.gethostname(),
        user=getpass.getuser(),
        stages=["materialize", "score", "export"],
    )


def _event(number: int, *, only_counter: bool) -> bytes:
    seq = number + 3
    if only_counter:
        return _line(seq, "stage.progress", stage="materialize", rows_in=100_000 + number)
    if number % 2:
        return _line(seq, "log", level="info", message=f"chunk {number:,} of the stream was read and mapped")
    by_stream = {name: {"evidence": number // 3, "accepted": number // 5} for name in _STREAMS}
    return _line(
        seq,
        "stage.progress",
        stage="materialize",
        rows_in=number,
        rows_out=number,
        bytes_done=number * 100,
        bytes_total=10**9,
        rows_per_second=10_000.0,
        categories={"accepted": number // 5, "rejected": number // 7},
        by_stream=by_stream,
    )


if __name__ == "__main__":
    main()
