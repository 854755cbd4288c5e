"""The live detectors without a screen: read, compare, tell, until a signal ends it.

The firewall's own watcher reports within a second; files are read when they change, and at an
interval all the same. Alerts wait in
a queue of their own, so that a slow alert command does not keep anything from being seen.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from console.live.firewall_watch import FirewallWatch
from console.live.runbook_watch import RunbookWatch
from console.live.workspace_changes import call_on_changes, set_within
from console.reading.workspace_reader import WorkspaceReader
from console.state.derive import firewall_now
from console.state.symptoms_now import showing, with_firewall, with_looks
from console.state.view_state import FirewallLost
from console.watch.alert_book import Alert, AlertBook
from console.watch.alert_command import call_alert_command
from pipeline.contracts.faults import OperatorError
from pipeline.contracts.finding_words import FIRST_READING
from pipeline.contracts.status import Answer, FirewallStatus, FirewallWord, SymptomStatus, WorkspaceStatus

# Alerts that wait for a slow command; older ones than these are stale news.
_QUEUE_ALERTS = 100
# Between two readings of files that change all the time.
LEAST_SECONDS = 1.0


@dataclass
class WatchLoop:
    """``tell`` gets every alert, ``complain`` every alert that could not be delivered."""

    root: Path
    interval_seconds: float
    book: AlertBook
    command: Sequence[str]
    tell: Callable[[Alert], None]
    complain: Callable[[str], None]
    clock: Callable[[], float] = time.time
    name: str = ""
    _status: WorkspaceStatus | None = None
    _firewall: FirewallStatus | None = None
    _looks: tuple[Answer, ...] = ()
    _queue: asyncio.Queue[Alert] = field(default_factory=lambda: asyncio.Queue(_QUEUE_ALERTS))
    _read_now: asyncio.Event = field(default_factory=asyncio.Event)
    _stop_code: int = 0

    async def run(self) -> int:
        """Watch until SIGTERM or SIGINT; returns 128 + the signal's number."""
        loop, stop = asyncio.get_running_loop(), asyncio.Event()

        def asked(number: int) -> None:
            self._stop_code = 128 + number
            stop.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, asked, number)
        tasks = [
            asyncio.create_task(work())
            for work in (
                self._see_changes,
                self._read_files,
                self._watch_firewall,
                self._ask_runbook,
                self._deliver,
            )
        ]
        stopping = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # a task that ended by itself has a bug to tell
        finally:
            for task in (stopping, *tasks):
                task.cancel()
            await asyncio.gather(stopping, *tasks, return_exceptions=True)
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)
        return self._stop_code

    async def _see_changes(self) -> None:
        await call_on_changes(self.root, self._read_now.set)

    async def _read_files(self) -> None:
        reader = WorkspaceReader(self.root)
        while True:
            self._read_now.clear()
            try:
                self._status = await asyncio.to_thread(reader.read, self.clock())
            except (OSError, OperatorError) as error:
                self._trouble("workspace", f"it cannot be read: {error}")
            else:
                self._trouble("workspace", None)
                self.name = self._status.name
                self._look()
            await asyncio.sleep(min(self.interval_seconds, LEAST_SECONDS))
            await set_within(self._read_now, self.interval_seconds)

    async def _watch_firewall(self) -> None:
        async with contextlib.aclosing(FirewallWatch(self.root, clock=self.clock).states()) as states:
            async for fact in states:
                if isinstance(fact, FirewallLost):
                    self._trouble("firewall", f"the firewall's watcher {fact.reason}")
                    continue
                self._firewall = fact.firewall
                self._trouble("firewall", cannot_judge(fact.firewall))
                self._look()

    async def _ask_runbook(self) -> None:
        """The detectors that cost a process, within their budget; they keep what they saw themselves."""
        async with contextlib.aclosing(RunbookWatch(self.root, clock=self.clock).facts()) as facts:
            async for fact in facts:
                reading = fact.reading
                self._trouble("runbook", reading.trouble[0] if reading.trouble else None)
                self._looks = tuple(each.answer for each in reading.symptoms)
                self._look()

    def _look(self) -> None:
        if self._status is None:
            return
        now = self.clock()
        self._publish(self.book.update(self._symptoms_now(self._status, now), now))

    def _symptoms_now(self, status: WorkspaceStatus, now: float) -> tuple[SymptomStatus, ...]:
        """What shows: what files and the last look tell, and the firewall's latest word."""
        firewall = status.firewall if self._firewall is None else self._firewall
        answers = with_looks(status.answers, self._looks, now)
        return showing(with_firewall(answers, firewall_now(firewall, now), now), now)

    def _trouble(self, subject: str, what: str | None) -> None:
        self._publish(self.book.trouble(subject, what, self.clock()))

    def _publish(self, alerts: Sequence[Alert]) -> None:
        for alert in alerts:
            self.tell(alert)
            if not (self.command and alert.wants_a_person):
                continue
            try:
                self._queue.put_nowait(alert)
            except asyncio.QueueFull:
                self.complain(
                    f"{alert.id} ({alert.kind}): {_QUEUE_ALERTS} alerts wait already; not delivered"
                )

    async def _deliver(self) -> None:
        while True:
            alert = await self._queue.get()
            await deliver(self.command, alert, self.root, self.name, self.complain)


def cannot_judge(firewall: FirewallStatus) -> str | None:
    """What hides the firewall's verdict from a watch; None where it has one, or has only begun to read."""
    if firewall.state is not FirewallWord.UNKNOWN or firewall.detail.endswith(FIRST_READING):
        return None
    return f"it cannot judge: {firewall.detail}"


async def deliver(
    command: Sequence[str], alert: Alert, root: Path, name: str, complain: Callable[[str], None]
) -> None:
    """Call the alert command once; what goes wrong is told and survived."""
    why = await call_alert_command(command, alert.to_dict(str(root), name), root)
    if why is not None:
        complain(f"{alert.id} ({alert.kind}): {why}")
