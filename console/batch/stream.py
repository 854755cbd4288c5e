"""What a batch says while it works: one event stream for the whole, and narration for who watches.

The stream begins and ends as any does (``run.started``, ``run.finished``), so that whatever reads an engine's
events reads these; what the parts say is numbered anew, and where a part begins or ends is a log line of it.

Narration goes to standard error. Where a person watches, one line that renews itself: rows, rate, time left.
Elsewhere one quiet line for each part that has ended.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from typing import Any

import orjson

from console.batch.outcome import PartOutcome
from console.batch.parts import Part
from pipeline.contracts.faults import Fault, StorageError
from pipeline.contracts.moments import iso_utc
from pipeline.contracts.plurals import plural
from pipeline.contracts.untrusted import visible
from pipeline.platform.disk_faults import events_fault
from pipeline.platform.drawing import Progress
from pipeline.platform.lenient_json import Json, text_of
from pipeline.platform.voice import Voice
from pipeline.reading.durations import took_in_words

# A part's own frame; everything between its first and its last event is passed on.
_FRAME = ("run.started", "run.finished")


class BatchStream:
    """``place`` is a file, ``-`` for standard output, or None for nowhere."""

    def __init__(self, place: str | None, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seq = 0
        self._owned = place not in (None, "-")
        self._place = place if place not in (None, "-") else "standard output"
        self.fault: Fault | None = None
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
        except OSError as error:
            self.fault = events_fault(self._place, error)
            self.close()

    def close(self) -> None:
        if self._descriptor is not None and self._owned:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
        self._descriptor = None


REDRAW_SECONDS = 0.2


class Narration:
    """``voice`` is None for a batch that was asked to be quiet."""

    def __init__(self, voice: Voice | None) -> None:
        self._voice = voice
        self._progress = Progress()
        self._part: Part | None = None
        self._drawn = 0.0
        self._checks = 0

    def begins(self, part: Part) -> None:
        if self._voice is None:
            return
        self._part, self._drawn, self._checks = part, 0.0, 0
        self._progress.show(str(part))

    def event(self, event: Json) -> None:
        """Show an event where somebody watches, at most a few times a second."""
        self._checks += event.get("type") == "check.result"
        now = time.monotonic()
        if self._part is None or now - self._drawn < REDRAW_SECONDS:
            return
        self._drawn = now
        match event.get("type"):
            case "stage.progress":
                self._progress.event(event, f"{self._part} ")
            case "check.result":
                self._progress.show(str(self._part), plural(self._checks, "check"))
            case "stage.started":
                self._progress.show(f"{self._part} {text_of(event, 'stage') or ''}")
            case _:
                pass

    def ended(self, outcome: PartOutcome) -> None:
        if self._voice is None:
            return
        took = took_in_words(outcome.elapsed_seconds)
        line = f"{outcome.part:<15} {outcome.word:<14} {took:>7}  {outcome.said}"
        if outcome.detail:
            line = f"{line}  {outcome.detail}"
        self._voice.note(visible(line, 400).rstrip())
