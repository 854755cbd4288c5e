"""One event stream for the whole batch: what its parts say, numbered anew.

It begins and ends as any stream does (``run.started``, ``run.finished``), so that whatever reads
an engine's events reads these. Where a part begins or ends stands in it as a log line.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import Any

import orjson

from pipeline.contracts.faults import StorageError
from pipeline.contracts.status import iso_utc
from pipeline.platform.lenient_json import Json

# A part's own frame; everything between its first and its last event is passed on.
_FRAME = ("run.started", "run.finished")


class BatchStream:
    """``place`` is a file, ``-`` for standard output, or None for nowhere."""

    def __init__(self, place: str | None, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seq = 0
        self._owned = place not in (None, "-")
        self._descriptor: int | None = None
        if place == "-":
            self._descriptor = 1
        elif place is not None:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            try:
                self._descriptor = os.open(place, flags, 0o600)
            except OSError as error:
                raise StorageError.of(
                    "events_place_refused",
                    f"{place} cannot be written: {error.strerror}.",
                    "Nothing was run.",
                    "Name another file with --events.",
                    file=place,
                ) from error

    def emit(self, kind: str, **fields: Any) -> None:
        """Write one event. A place that refuses is given up: narration must not stop a batch."""
        self._seq += 1
        at = iso_utc(self._clock()) or ""
        self._write(orjson.dumps({"type": kind, "seq": self._seq, "at": at, **fields}) + b"\n")

    def log(self, message: str, level: str = "info") -> None:
        self.emit("log", level=level, message=message)

    def relay(self, event: Json) -> None:
        """Pass on what a part said, under the next number of this stream, at its own time."""
        if event.get("type") in _FRAME:
            return
        self._seq += 1
        self._write(orjson.dumps({**event, "seq": self._seq}) + b"\n")

    def _write(self, line: bytes) -> None:
        if self._descriptor is None:
            return
        try:
            view = memoryview(line)
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError:
            self.close()

    def close(self) -> None:
        if self._descriptor is not None and self._owned:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
        self._descriptor = None
