from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from console.control.jobs import start_job
from console.live import engine_process
from console.live.engine_process import Followed, RunFeed, follow_job, follow_lock
from console.state.derive import advance
from console.state.view_state import RunEnded, RunFollowed, TailSlice, ViewState, initial
from pipeline.contracts.faults import WorkspaceLockedError
from pipeline.contracts.status import LockStatus
from pipeline.reading.lock_facts import read_lock
from tests.console.written_engine import write_engine
from tests.waiting import LIMIT_SECONDS

RUN = """
lock = hold_lock()
started()
emit("stage.started", stage="materialize")
finished()
"""


async def gather(items: AsyncIterator[Followed]) -> list[Followed]:
    return [item async for item in items]


async def until_end(items: AsyncIterator[Followed]) -> list[Followed]:
    seen: list[Followed] = []
    async for item in items:
        seen.append(item)
        if isinstance(item, RunEnded):
            break
    return seen


def types(items: list[Followed]) -> list[str]:
    return [event.type for item in items if isinstance(item, TailSlice) for event in item.events]


async def test_our_run_is_followed_from_its_start_to_its_end(tmp_path: Path) -> None:
    job = start_job(write_engine(tmp_path, RUN), ["run-all"])
    items = await asyncio.wait_for(gather(follow_job(job)), LIMIT_SECONDS)
    assert items[0] == RunFollowed("", "run-all", ours=True, pid=job.pid)
    assert types(items) == ["run.started", "stage.started", "run.finished"]
    assert items[-1] == RunEnded("20260427T060000Z-9f31", 0, before_first_event=False)


async def test_an_engine_that_cannot_be_imported_shows_its_code_and_its_last_words(tmp_path: Path) -> None:
    job = start_job(write_engine(tmp_path, "import pipeline.schemas_gone"), ["run-all"])
    items = await asyncio.wait_for(gather(follow_job(job)), LIMIT_SECONDS)
    ended = items[-1]
    assert isinstance(ended, RunEnded)
    assert ended.before_first_event
    assert ended.exit_code == 1
    assert ended.stderr_tail[-1] == "ModuleNotFoundError: No module named 'pipeline.schemas_gone'"
    state: ViewState = initial("/w")
    for item in items:
        state = advance(state, item, 0.0)
    assert state.symptoms[0].id == "ENGINE.wont-start"


async def test_a_killed_run_of_ours_is_told_at_once(tmp_path: Path) -> None:
    body = "lock = hold_lock()\nstarted()\nos.kill(os.getpid(), signal.SIGKILL)"
    job = start_job(write_engine(tmp_path, body), ["run-all"])
    items = await asyncio.wait_for(gather(follow_job(job)), LIMIT_SECONDS)
    assert items[-1] == RunEnded("20260427T060000Z-9f31", -9, before_first_event=False)


async def test_somebody_elses_run_is_followed_from_its_first_event(tmp_path: Path) -> None:
    body = "lock = hold_lock()\nstarted()\nopen(f'{root}/ready', 'w')\nwait_for('go')\nfinished()"
    job = start_job(write_engine(tmp_path, body), ["run-all"])
    feed = RunFeed(tmp_path)
    items = feed.items()
    first = await asyncio.wait_for(anext(items), LIMIT_SECONDS)
    assert first == RunFollowed(
        "20260427T060000Z-9f31", "run-all", ours=False, user="jun", host=_host(), pid=job.pid
    )
    second = await asyncio.wait_for(anext(items), LIMIT_SECONDS)
    assert types([second])[0] == "run.started"
    (tmp_path / "go").touch()
    rest = await asyncio.wait_for(until_end(items), LIMIT_SECONDS)
    assert types(rest)[-1:] == ["run.finished"]
    assert rest[-1] == RunEnded("20260427T060000Z-9f31", None, before_first_event=False)
    await items.aclose()
    job.process.wait(LIMIT_SECONDS)


async def test_a_lock_given_back_without_a_last_event_is_a_killed_run(tmp_path: Path) -> None:
    body = "lock = hold_lock()\nstarted()\nopen(f'{root}/ready', 'w')\nwait_for('never')"
    job = start_job(write_engine(tmp_path, body), ["run-all"])
    await asyncio.to_thread(_until_there, tmp_path / "ready")
    following = asyncio.create_task(gather(follow_lock(tmp_path, read_lock(tmp_path, 0.0))))
    os.kill(job.pid, signal.SIGKILL)
    job.process.wait(LIMIT_SECONDS)
    items = await asyncio.wait_for(following, LIMIT_SECONDS)
    ended = items[-1]
    assert isinstance(ended, RunEnded)
    assert "killed, most likely" in ended.reason


async def test_a_run_started_here_is_followed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = "lock = hold_lock()\nstarted()\nfinished()\nwait_for('go')"
    feed = RunFeed(write_engine(tmp_path, body))
    items = feed.items()
    waiting = asyncio.create_task(anext(items))
    await asyncio.sleep(0)
    job = feed.start(["run-all"])
    assert await asyncio.wait_for(waiting, LIMIT_SECONDS) == RunFollowed(
        "", "run-all", ours=True, pid=job.pid
    )
    slices: list[Followed] = []
    while "run.finished" not in types(slices):
        slices.append(await asyncio.wait_for(anext(items), LIMIT_SECONDS))
    assert read_lock(tmp_path, 0.0).held
    with pytest.raises(WorkspaceLockedError):
        feed.start(["run-all"])
    (tmp_path / "go").touch()
    assert isinstance(await asyncio.wait_for(anext(items), LIMIT_SECONDS), RunEnded)
    looks: list[Path] = []
    looked_twice = asyncio.Event()

    def still_held(root: Path, now: float) -> LockStatus:
        """What our run leaves behind for a moment."""
        looks.append(root)
        (feed.wake if len(looks) == 1 else looked_twice.set)()
        return LockStatus(held=True, pipeline_run_id="20260427T060000Z-9f31")

    monkeypatch.setattr(engine_process, "read_lock", still_held)
    again, looking = asyncio.create_task(anext(items)), asyncio.create_task(looked_twice.wait())
    done, _ = await asyncio.wait({again, looking}, timeout=LIMIT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    assert done == {looking}, "the same run was followed a second time"
    again.cancel()
    await asyncio.gather(again, return_exceptions=True)


def _until_there(path: Path) -> None:
    while not path.exists():
        os.sched_yield()


def _host() -> str:
    return socket.gethostname()


async def test_a_writer_that_is_silent_is_looked_for_with_pauses_and_lines_without_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a console that follows a run would take a core for itself."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr("console.live.engine_process.asyncio.sleep", sleep)
    answers = iter([False, False, False, True])
    events = tmp_path / "events.jsonl"
    events.write_bytes(b"")
    looks = engine_process._slices(events, engine_process._Seen(), is_over=lambda: next(answers), every=0.0)
    async with contextlib.aclosing(looks) as slices:
        assert [found async for found in slices] == []
    assert pauses == [0.05, 0.05, 0.05]
