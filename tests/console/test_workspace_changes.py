"""A feed reads again because files changed: by events, by a poll, and never without an end."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import sys
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from console.live import live_feed, workspace_changes
from console.live.live_feed import LiveFeed
from console.live.workspace_changes import call_on_changes, set_within, watched
from console.state.view_state import ReadFailed, StatusRead
from pipeline.contracts import paths
from tests.waiting import LIMIT_SECONDS

NEVER = 10_000.0


@pytest.fixture(params=["events", "poll"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody reads by himself; with the poll, no event arrives either."""
    monkeypatch.setattr(live_feed, "READ_EVERY_SECONDS", NEVER)
    if request.param == "poll":
        monkeypatch.setattr(workspace_changes, "POLL_SECONDS", 0.2)
        monkeypatch.setitem(sys.modules, "watchfiles", None)
        monkeypatch.setitem(sys.modules, "watchfiles._rust_notify", None)


async def the_first(feed: LiveFeed, wanted: Callable[[object], bool], act: Callable[[], object]) -> None:
    """Act when the workspace has been read; the feed then brings what is wanted."""
    async with (
        asyncio.timeout(LIMIT_SECONDS),
        aclosing(cast(AsyncGenerator[object, None], feed.items())) as items,
    ):
        acted = False
        async for item in items:
            if acted and wanted(item):
                return
            if isinstance(item, StatusRead) and not acted:
                act()
                acted = True


@pytest.mark.usefixtures("way")
async def test_a_changed_setting_is_read(root: Path) -> None:
    def renamed(item: object) -> bool:
        return isinstance(item, StatusRead) and item.status.name == "morning"

    text = '[workspace]\nname = "morning"\n'
    await the_first(LiveFeed(root), renamed, lambda: (root / "distill.toml").write_text(text))


async def test_one_slow_reading_leaves_nobody_blind(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine held it up for days, by this clock; the next one comes when files change."""
    days = itertools.count(step=1e6)
    slow = SimpleNamespace(monotonic=lambda: next(days), thread_time=lambda: next(days), time=time.time)
    monkeypatch.setattr(live_feed, "time", slow)
    monkeypatch.setattr(live_feed, "LONGEST_PAUSE_SECONDS", 0.1)

    def renamed(item: object) -> bool:
        return isinstance(item, StatusRead) and item.status.name == "morning"

    text = '[workspace]\nname = "morning"\n'
    await the_first(LiveFeed(root), renamed, lambda: (root / "distill.toml").write_text(text))


@pytest.mark.usefixtures("way")
async def test_a_workspace_that_goes_is_told(root: Path) -> None:
    await the_first(LiveFeed(root), lambda item: isinstance(item, ReadFailed), lambda: shutil.rmtree(root))


async def test_changes_that_go_on_are_told_now_and_then(root: Path) -> None:
    told: list[float] = []
    once, thrice_more = asyncio.Event(), asyncio.Event()
    clock = asyncio.get_running_loop().time

    def changed() -> None:
        told.append(clock())
        once.set()
        if len(told) > 3:
            thrice_more.set()

    calling = asyncio.create_task(call_on_changes(root, changed))
    async with asyncio.timeout(LIMIT_SECONDS):
        await once.wait()
        while not thrice_more.is_set():
            (root / "distill.toml").write_text('[workspace]\nname = "again"\n')
            await asyncio.sleep(0)
    calling.cancel()
    await asyncio.gather(calling, return_exceptions=True)
    assert told[3] - told[0] >= 2 * workspace_changes.STEP_SECONDS


def test_what_is_kept_for_nobody_to_judge_is_not_watched(root: Path) -> None:
    (root / "pipeline/__pycache__").mkdir(parents=True)
    (root / paths.INCIDENTS / "one/kept/deep").mkdir(parents=True)
    (root / paths.EVIDENCE / "deep/er").mkdir(parents=True)
    found = {path.relative_to(root).as_posix() for path in watched(root)}
    assert {f"{paths.EVIDENCE}/deep/er", f"{paths.INCIDENTS}/one", ".", ".git/refs"} <= found
    assert not {path for path in found if "kept" in path or "__pycache__" in path}


async def test_a_wait_that_is_cancelled_as_its_event_comes_ends_all_the_same() -> None:
    event = asyncio.Event()

    async def wait_for_ever() -> None:
        while True:
            await set_within(event, 60.0)
            event.clear()

    waiting = asyncio.create_task(wait_for_ever())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    event.set()
    await asyncio.sleep(0)  # the event has come, and nobody has been told yet
    waiting.cancel()
    done, _ = await asyncio.wait([waiting], timeout=LIMIT_SECONDS)
    assert done == {waiting}
