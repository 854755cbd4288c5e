"""``--watch``: looks ten times a second, tells every change at once and that it lives every two.

Polling by ``stat`` also works where file events do not arrive (NFS, bind mounts), and idles at
a fraction of a per cent of a core. A watcher ends on SIGTERM or SIGINT, when nobody reads it any
more, and when the process that started it has gone.
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
from pipeline.platform.voice import Voice

LOOK_EVERY_SECONDS = 0.1
HEARTBEAT_SECONDS = 2.0
_PROGRESS_SECONDS = 0.25  # between events that differ in nothing but how far the reading is


class _Stop:
    """Set by a signal, which also ends the wait between two looks."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self.code = ExitCode.OK
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self.code = ExitCode.INTERRUPTED if number == signal.SIGINT else ExitCode.TERMINATED
        self._event.set()

    def wait(self, seconds: float) -> bool:
        return self._event.wait(seconds)


def watch(places: Places, events: StateEvents | None) -> ExitCode:
    """Look until told to stop. ``events`` None writes lines for people on stdout."""
    stop = _Stop()
    parent = os.getppid()
    sentinel = Sentinel(places)
    teller = _Teller(events)
    try:
        while True:
            started = time.monotonic()
            sighting = sentinel.look()
            teller.tell(sighting, started)
            pause = 0.0 if sighting.is_reading else max(0.0, started + LOOK_EVERY_SECONDS - time.monotonic())
            if stop.wait(pause):
                return stop.code
            if os.getppid() != parent or not teller.is_heard:
                return ExitCode.OK
    finally:
        sentinel.close()


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

    def tell(self, sighting: Sighting, at: float) -> None:
        report = sighting.report
        news = (report.state, report.detail, report.findings.count, report.cause, sighting.since)
        progress = (report.rows_read, report.sha256)
        quiet = at - self._told_at
        is_news = news != self._news
        if not (
            is_news
            or (progress != self._progress and quiet >= _PROGRESS_SECONDS)
            or quiet >= HEARTBEAT_SECONDS
        ):
            return
        self._news, self._progress, self._told_at = news, progress, at
        if self._events is not None:
            self._events.report(report, since=sighting.since, rows_total=sighting.rows_total)
        elif is_news:
            Voice().out_now(f"{now()}  {report.as_text()}".rstrip())
