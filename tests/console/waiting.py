"""Wait for a condition of the app, never for a length of time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.pilot import Pilot

LIMIT_SECONDS = 30.0


async def until(pilot: Pilot[int], condition: Callable[[], bool], what: str) -> None:
    """Let the app work until ``condition`` holds. Fails, naming ``what``, when it never does."""
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            while not condition():
                await pilot.pause(0.02)
    except TimeoutError:
        raise AssertionError(f"never seen: {what}") from None
