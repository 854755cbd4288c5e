"""Left at any moment, the console ends: also while the feed is about to start or end a program."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from console.tui.app import ConsoleApp
from tests.console import states
from tests.console.apps import LINK
from tests.console.fake_feed import FakeFeed

if TYPE_CHECKING:
    from console.control.feed import Item


_END_SECONDS = 0.3


class SlowToEnd(FakeFeed):
    """Its end takes a while, as that of a child does."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.ended = asyncio.Event(), False

    async def items(self) -> AsyncIterator[Item]:
        try:
            self.begun.set()
            yield await self._queue.get()
        finally:
            await asyncio.sleep(_END_SECONDS)  # not to wait for anything: a loop that closes cuts it off
            self.ended = True


def test_the_loop_is_not_closed_before_the_feed_has_ended() -> None:
    feed = SlowToEnd()
    app = ConsoleApp(states.healthy(), feed, LINK)

    async def leave(_: object) -> None:
        await feed.begun.wait()
        app.exit(0)

    app.run(headless=True, auto_pilot=leave)
    assert feed.ended


async def test_a_timer_that_is_due_while_the_app_ends_draws_nothing() -> None:
    app = ConsoleApp(states.healthy(), FakeFeed(), LINK)
    async with app.run_test(size=(80, 24)):
        assert app.screen_stack
    assert not app.screen_stack, "the last screen is gone"
    app.draw()
    app.flush()
