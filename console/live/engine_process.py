"""Follow a run to its end, whoever started it: ours by its job files, others' by the lock.

``RunFeed.items`` yields facts and slices of events for ``derive.advance``, for ever: it
follows our own job when there is one, else the run that holds the workspace, else it waits.
How a run ended is told by its last event; without one, by its exit code and its last words.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

from console.control.jobs import Job, start_job
from console.live.event_tail import RUNNING_POLL_SECONDS, EventTail
from console.live.workspace_changes import set_within
from console.state.view_state import RunEnded, RunFollowed, TailSlice
from pipeline.contracts import paths
from pipeline.contracts.faults import WorkspaceLockedError
from pipeline.contracts.status import LockStatus
from pipeline.reading.lock_facts import read_lock

if TYPE_CHECKING:
    from pipeline.contracts.events import Event, RunFinished, RunStarted

LOOK_FOR_RUN_SECONDS = 2.0
LOCK_POLL_SECONDS = 0.2
LAST_BREATH_SECONDS = 10.0

Followed = RunFollowed | RunEnded | TailSlice


class RunFeed:
    """One workspace's runs as a stream of items. ``clock`` is seconds since the epoch."""

    def __init__(self, root: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._root = root
        self._clock = clock
        self._job: Job | None = None
        self._woken = asyncio.Event()
        self._last_run_id = ""

    def start(self, arguments: Sequence[str]) -> Job:
        """Start an engine command detached; ``items`` follows it next. Blocks for milliseconds.

        Raises WorkspaceLockedError when a run is at work, and what ``start_job`` raises.
        """
        lock = read_lock(self._root, self._clock())
        if lock.held:
            raise _locked(lock)
        self._job = start_job(self._root, arguments, now=self._clock())
        self._woken.set()
        return self._job

    def wake(self) -> None:
        """Files changed: look now whether somebody's run holds the workspace."""
        self._woken.set()

    async def items(self) -> AsyncGenerator[Followed, None]:
        """What happens in the workspace's runs, until the iterator is closed."""
        while True:
            job, self._job = self._job, None
            if job is not None:
                async with contextlib.aclosing(follow_job(job)) as followed:
                    async for item in followed:
                        self._remember(item)
                        yield item
                continue
            lock = read_lock(self._root, self._clock())
            if lock.held and lock.pipeline_run_id and lock.pipeline_run_id != self._last_run_id:
                self._last_run_id = lock.pipeline_run_id
                async with contextlib.aclosing(follow_lock(self._root, lock, clock=self._clock)) as followed:
                    async for item in followed:
                        yield item
                continue
            await set_within(self._woken, LOOK_FOR_RUN_SECONDS)
            self._woken.clear()

    def _remember(self, item: Followed) -> None:
        """Our own run also holds the lock for a moment longer; it is not followed twice."""
        for event in item.events if isinstance(item, TailSlice) else ():
            if _is_start(event):
                self._last_run_id = event.pipeline_run_id


async def follow_job(job: Job) -> AsyncGenerator[Followed, None]:
    """A job of ours from its start to its end."""
    yield RunFollowed("", job.command, ours=True, pid=job.pid)
    seen = _Seen()
    async with contextlib.aclosing(
        _slices(job.events, seen, is_over=lambda: job.poll() is not None, every=RUNNING_POLL_SECONDS)
    ) as slices:
        async for found in slices:
            yield found
    if seen.finished:
        # The last event comes a moment before the process is gone; it is waited for, so that no
        # zombie stays behind, but not for ever.
        await asyncio.to_thread(job.process.wait, LAST_BREATH_SECONDS)
    yield RunEnded(
        seen.pipeline_run_id,
        exit_code=job.poll(),
        before_first_event=not seen.anything,
        stderr_tail=() if seen.finished else job.stderr_tail(),
    )


async def follow_lock(
    root: Path, lock: LockStatus, *, clock: Callable[[], float] = time.time
) -> AsyncGenerator[Followed, None]:
    """Somebody's run, from its first event (however late we came) until it gives the lock back."""
    run_id = lock.pipeline_run_id
    yield RunFollowed(run_id, lock.command, ours=False, user=lock.user, host=lock.host, pid=lock.pid)

    def is_over() -> bool:
        now = read_lock(root, clock())
        return not now.held or now.pipeline_run_id != run_id

    seen = _Seen()
    events = root / paths.events_file(run_id)
    async with contextlib.aclosing(_slices(events, seen, is_over=is_over, every=LOCK_POLL_SECONDS)) as slices:
        async for found in slices:
            yield found
    reason = "gave the lock back without a last event: killed, most likely; the next run resumes it"
    yield RunEnded(run_id, None, before_first_event=False, reason="" if seen.finished else reason)


def _is_start(event: Event) -> TypeGuard[RunStarted]:
    return event.type == "run.started"


def _is_end(event: Event) -> TypeGuard[RunFinished]:
    return event.type == "run.finished"


def _import_event_models() -> None:
    """A fifth of a second and of a console's memory, which a console that only waits never pays."""
    from console.state import event_fold  # noqa: F401 (imported for the next one who asks)


class _Seen:
    """What a stream has shown so far, as far as its end must know."""

    def __init__(self) -> None:
        self.anything = False
        self.finished = False
        self.pipeline_run_id = ""

    def note(self, found: TailSlice) -> None:
        for event in found.events:
            self.anything = True
            if _is_start(event):
                self.pipeline_run_id = event.pipeline_run_id
            self.finished = self.finished or _is_end(event)


async def _slices(
    events: Path, seen: _Seen, *, is_over: Callable[[], bool], every: float
) -> AsyncGenerator[TailSlice, None]:
    """Slices until the writer is gone and its file is read to the end."""
    await asyncio.to_thread(_import_event_models)
    tail = EventTail(events)
    asked = 0.0
    over = False
    try:
        while True:
            if not over and time.monotonic() - asked >= every:
                over, asked = is_over(), time.monotonic()
            found = tail.read_slice()
            seen.note(found)
            if not found.is_empty:
                yield found
            if found.caught_up:
                if over or seen.finished:
                    return
                await asyncio.sleep(RUNNING_POLL_SECONDS)
            else:
                await asyncio.sleep(0)  # keys and paints come in between two slices
    finally:
        tail.close()


def _locked(lock: LockStatus) -> WorkspaceLockedError:
    return WorkspaceLockedError.of(
        "workspace_locked",
        f"{lock.command or 'A run'} by {lock.user or 'somebody'} (pid {lock.pid}) holds the workspace.",
        "Nothing was started; that run goes on.",
        "Watch it here, or cancel it first.",
    )
