"""Run one part as a process: its events while it works, its report when it has ended.

Its events go to a file in a private folder, which is read while it works.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.platform.lenient_json import Json, object_or_none, rows
from pipeline.platform.process import NotWantedError, run

# A part that is asked to end stops at a safe point; then it is ended.
GRACE_SECONDS = 2.0
MAX_REPORT_BYTES = 256 * 1024 * 1024
_WORDS_KEPT = 12


@dataclass(frozen=True, slots=True)
class PartEnded:
    """``returncode`` is negative for a signal, None when the process could not be started."""

    returncode: int | None
    elapsed_seconds: float
    timed_out: bool
    report: Json | None
    words: tuple[str, ...]


class Deadline:
    """When the whole batch has to be over; None is never."""

    def __init__(self, seconds: float | None) -> None:
        self._at = math.inf if seconds is None else time.monotonic() + seconds

    @property
    def left_seconds(self) -> float:
        return self._at - time.monotonic()

    @property
    def is_over(self) -> bool:
        return self.left_seconds <= 0


def run_child(
    argv: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    name: str,
    *,
    deadline: Deadline,
    stop_asked: Callable[[], bool],
    on_event: Callable[[Json], None],
    most_seconds: float = math.inf,
) -> PartEnded:
    """Run ``argv`` to its end, the deadline, or until ``stop_asked``. Raises OSError for a full disk.

    One that needs more than ``most_seconds`` has given no answer, and the batch goes on.
    """
    with _EventReader(folder / f"{name}.events") as reader:

        def look() -> None:
            for event in reader.new_events():
                on_event(event)
            if stop_asked():
                raise NotWantedError("the batch was asked to stop")

        ended = run(
            argv,
            limit_seconds=min(deadline.left_seconds, most_seconds),
            env=environment,
            keep_bytes=MAX_REPORT_BYTES,
            grace_seconds=GRACE_SECONDS,
            check=look,
        )
        for event in reader.new_events():
            on_event(event)
    words = (*ended.said[-_WORDS_KEPT:], *([ended.why] if ended.why else []))
    return PartEnded(
        ended.returncode,
        ended.took_seconds,
        ended.timed_out and deadline.is_over,
        object_or_none(ended.stdout),
        words,
    )


class _EventReader:
    """The whole lines that were added to an event file since the last look."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._rest = b""

    def __enter__(self) -> _EventReader:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def new_events(self) -> list[Json]:
        data = self._rest
        while block := os.read(self._descriptor, 1 << 20):
            data += block
        *lines, self._rest = data.split(b"\n")
        return list(rows(lines))
