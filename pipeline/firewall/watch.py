"""``--watch``: woken by file events, tells every change at once and that it lives every two seconds.

Where events do not arrive (network file systems, used-up limits) it looks ten times a second, by
``stat``. A watcher ends on SIGTERM or SIGINT, when nobody reads it any more, and when the process that
started it has gone.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from types import FrameType

from pipeline.contracts.faults import ExitCode
from pipeline.firewall.places import Places
from pipeline.firewall.sentinel import Sentinel, Sighting
from pipeline.firewall.state_events import StateEvents, now
from pipeline.platform.file_changes import FileChanges
from pipeline.platform.voice import Voice

LOOK_EVERY_SECONDS = 0.1
HEARTBEAT_SECONDS = 2.0
_PROGRESS_SECONDS = 0.25  # between events that differ in nothing but how far the reading is


class _Stop(threading.Event):
    """Set by a signal, which also ends the wait between two looks."""

    def __init__(self) -> None:
        super().__init__()
        self.code = ExitCode.OK
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self.code = ExitCode.INTERRUPTED if number == signal.SIGINT else ExitCode.TERMINATED
        self.set()


def watch(places: Places, events: StateEvents | None) -> ExitCode:
    """Look until told to stop. ``events`` None writes lines for people on stdout."""
    stop = _Stop()
    parent = os.getppid()
    sentinel = Sentinel(places)
    teller = _Teller(events)
    changes = FileChanges(places.to_watch)
    told_to_look = True
    try:
        while not stop.is_set():
            if os.getppid() != parent or not teller.is_heard:
                return ExitCode.OK
            sighting = sentinel.look()
            is_news = teller.tell(sighting, time.monotonic())
            if is_news and not told_to_look:
                changes.found()
            if sighting.is_reading:
                continue
            if sighting.is_settled:
                told_to_look = changes.wait(HEARTBEAT_SECONDS, stop)
            else:
                told_to_look = not stop.wait(LOOK_EVERY_SECONDS)
        return stop.code
    finally:
        sentinel.close()
        changes.close()


class _Teller:
    """Writes what changed, progress now and then, and otherwise a heartbeat."""

    def __init__(self, events: StateEvents | None) -> None:
        self._events = events
        self._news: object = None
        self._progress: object = None
        self._told_at = float("-inf")

    @property
    def is_heard(self) -> bool:
        """Whether anybody still reads what is told."""
        return Voice().is_heard if self._events is None else self._events.is_heard

    def tell(self, sighting: Sighting, at: float) -> bool:
        """Whether there was something new to tell."""
        report = sighting.report
        held = (report.walls, report.evaluation_sets, report.evaluation_refused)
        news = (report.state, report.detail, report.findings.count, report.cause, sighting.since, held)
        progress = (report.rows_read, report.sha256)
        quiet = at - self._told_at
        is_news = news != self._news
        if not (
            is_news
            or (progress != self._progress and quiet >= _PROGRESS_SECONDS)
            or quiet >= HEARTBEAT_SECONDS
        ):
            return False
        self._news, self._progress, self._told_at = news, progress, at
        if self._events is not None:
            self._events.report(report, since=sighting.since, rows_total=sighting.rows_total)
        elif is_news:
            Voice().out_now(f"{now()}  {report.as_text()}".rstrip())
        return is_news
