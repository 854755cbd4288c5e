"""The live feed: the workspace on disk, its runs, and the firewall's watcher, as one stream.

Three sources write into one bounded queue, so that a flood of one of them slows that source
down rather than the screen. All three end with the iterator. What takes long is done in a thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING

from console.control.armed import Permit
from console.control.feed import CommandPlan
from console.live.workspace_changes import call_on_changes, set_within
from console.state.view_state import (
    CancelAsked,
    OtherConsole,
    OthersSeen,
    PastLog,
    ReadFailed,
    RunEnded,
    RunFollowed,
    StatusRead,
)
from pipeline.contracts.faults import OperatorError

if TYPE_CHECKING:
    from console.control.feed import Item
    from console.control.lease import ControlLease
    from console.live.engine_process import RunFeed
    from console.live.runbook_watch import RunbookWatch
    from console.reading.workspace_reader import WorkspaceReader
    from console.state.view_state import TailSlice
    from pipeline.contracts.status import WorkspaceStatus

# File events wake the readers; they look by themselves this often all the same.
READ_EVERY_SECONDS = 5.0
LOOK_FOR_CONSOLES_SECONDS = 2.0
# Where files change all the time, reading them takes no more than this part of a core, and half of the time:
# a busy machine holds a reading up, which says little about the next one.
_READ_SHARE = 0.05
# Nobody is blind for longer.
LONGEST_PAUSE_SECONDS = 5.0
_QUEUE_ITEMS = 64


class LiveFeed:
    """The feed of one workspace. Nothing is opened or started before ``items`` is iterated."""

    def __init__(
        self, root: Path, *, clock: Callable[[], float] = time.time, lease: ControlLease | None = None
    ) -> None:
        self._root = root
        self._lease = lease
        self._clock = clock
        self._queue: asyncio.Queue[Item] = asyncio.Queue(_QUEUE_ITEMS)
        self._read_now = asyncio.Event()
        self._others_now = asyncio.Event()
        self._was_read = asyncio.Event()
        self._run_feed: RunFeed | None = None
        self._runbook_watch: RunbookWatch | None = None

    async def items(self) -> AsyncIterator[Item]:
        """Facts and events until the iterator is closed."""
        # Readers take a tenth of a second to import: not on the screen's thread.
        await asyncio.to_thread(_import_readers)
        sources = [asyncio.create_task(source()) for source in self._sources()]
        try:
            while True:
                yield await self._queue.get()
        finally:
            for source in sources:
                source.cancel()
            await asyncio.gather(*sources, return_exceptions=True)

    async def refresh(self) -> None:
        self._read_now.set()
        if self._runbook_watch is not None:
            self._runbook_watch.ask()

    # Sources

    def _sources(self) -> list[Callable[[], Coroutine[None, None, None]]]:
        consoles = [] if self._lease is None else [self._consoles]
        return [self._files, self._disk, self._runs, self._firewall, self._runbook, *consoles]

    async def _files(self) -> None:
        await call_on_changes(self._root, self._files_changed)

    def _files_changed(self) -> None:
        self._read_now.set()
        self._others_now.set()
        self._feed_of_runs().wake()
        if self._runbook_watch is not None:
            self._runbook_watch.wake()

    async def _consoles(self) -> None:
        """Be seen, and see the others; both end with the feed."""
        lease = self._lease
        if lease is None:
            return
        await asyncio.to_thread(lease.enter)
        seen: tuple[OtherConsole, ...] = ()
        while True:
            others = await asyncio.to_thread(lease.others)
            if others != seen:
                seen = others
                await self._queue.put(OthersSeen(others))
            await set_within(self._others_now, LOOK_FOR_CONSOLES_SECONDS)
            self._others_now.clear()

    async def _disk(self) -> None:
        from console.reading.workspace_reader import WorkspaceReader

        reader = WorkspaceReader(self._root)
        while True:
            self._read_now.clear()
            began, used = time.monotonic(), 0.0
            try:
                status, used = await asyncio.to_thread(_timed, reader, self._clock())
                await self._queue.put(StatusRead(status))
                await self._say_what_was(status)
            except (OSError, OperatorError) as error:
                await self._queue.put(ReadFailed(f"the workspace cannot be read: {error}"))
            else:
                self._was_read.set()
            await asyncio.sleep(pause_after(used, time.monotonic() - began))
            await set_within(self._read_now, READ_EVERY_SECONDS)

    async def _say_what_was(self, status: WorkspaceStatus) -> None:
        """Once: the last run's lines, where it is over; one that is at work is followed from its start."""
        if self._was_read.is_set() or status.lock.held:
            return
        from console.reading.past_log import past_log

        if entries := await asyncio.to_thread(past_log, self._root, status.runs):
            await self._queue.put(PastLog(entries))

    async def _runs(self) -> None:
        async with contextlib.aclosing(self._feed_of_runs().items()) as items:
            async for item in items:
                await self._queue.put(item)
                if _ends_run(item):
                    failed_to_start = isinstance(item, RunEnded) and item.before_first_event
                    if failed_to_start and self._runbook_watch is not None:
                        self._runbook_watch.ask()
                    self._read_now.set()  # receipts and summary are on disk now

    async def _firewall(self) -> None:
        from console.live.firewall_watch import FirewallWatch

        async with contextlib.aclosing(FirewallWatch(self._root, clock=self._clock).states()) as states:
            async for state in states:
                await self._queue.put(state)

    async def _runbook(self) -> None:
        from console.live.runbook_watch import RunbookWatch

        # Not before the first reading: a child beside it would make that late.
        await self._was_read.wait()
        self._runbook_watch = RunbookWatch(self._root, clock=self._clock)
        async with contextlib.aclosing(self._runbook_watch.facts()) as facts:
            async for fact in facts:
                await self._queue.put(fact)

    def _feed_of_runs(self) -> RunFeed:
        if self._run_feed is None:
            from console.live.engine_process import RunFeed

            self._run_feed = RunFeed(self._root, clock=self._clock)
        return self._run_feed

    # Changes

    def plan(self, action_id: str, subject: str = "") -> CommandPlan | None:
        """The plan as the disk is now; None when there is nothing to do it to."""
        from console.control import plans

        return plans.plan(self._root, action_id, subject, self._clock())

    async def carry_out(self, plan: CommandPlan, permit: Permit) -> str:
        """Start or cancel a run, or write a pack. Raises OperatorError, which names what was kept safe."""
        if plan.action_id == "incident.export":
            from console.control.plans import export_incident

            return await asyncio.to_thread(export_incident, self._root, plan)
        if plan.action_id == "engine.trust":
            from console.control.trust_plan import carry_out

            said = await asyncio.to_thread(carry_out, self._root, plan)
            await self.refresh()
            return said
        because = f", because: {permit.reason}" if permit.reason else ""
        if plan.action_id != "run.cancel":
            job = self._feed_of_runs().start(plan.arguments)
            said = f"started {plan.command_line}, pid {job.pid}{because}"
        else:
            from console.control.jobs import cancel_run

            (run_id,) = plan.arguments
            lock = await asyncio.to_thread(cancel_run, self._root, run_id)
            await self._queue.put(CancelAsked(run_id))
            said = f"asked {lock.command}, pid {lock.pid}, to stop at a safe point{because}"
        return said


def _ends_run(item: RunFollowed | RunEnded | TailSlice) -> bool:
    if isinstance(item, RunEnded):
        return True
    return not isinstance(item, RunFollowed) and any(event.type == "run.finished" for event in item.events)


def pause_after(used: float, took: float) -> float:
    """Seconds without a reading, after one that ``used`` these of a processor and ``took`` these in all."""
    return min(max(used / _READ_SHARE, took), LONGEST_PAUSE_SECONDS)


def _timed(reader: WorkspaceReader, now: float) -> tuple[WorkspaceStatus, float]:
    """A reading, and what it took of a processor. Raises as ``WorkspaceReader.read``."""
    began = time.thread_time()
    return reader.read(now), time.thread_time() - began


def _import_readers() -> None:
    from console.live import engine_process, firewall_watch  # noqa: F401 (imported for the next who asks)
    from console.reading import workspace_reader  # noqa: F401 (the same)
    from pipeline.reading import firewall_words  # noqa: F401 (the same)
