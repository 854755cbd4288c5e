"""Wait for a state, never for a length of time: the limit is for what hangs, on the busiest machine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.pilot import Pilot

# Below the limit at which pytest ends a test, so that what was never seen is named.
LIMIT_SECONDS = 300.0
# For a limit that shall be reached: the next one, where a busy machine did not come to what stands before it.
GROWING_LIMITS = (1.0, 10.0, 100.0)


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Look again and again until ``condition`` holds. Fails, naming ``what``, when it never does."""
    end = time.monotonic() + LIMIT_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"never seen: {what}")
        time.sleep(0.02)


async def until(pilot: Pilot[int], condition: Callable[[], object], what: str) -> None:
    """Let the app work until ``condition`` holds. Fails, naming ``what``, when it never does."""
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            while not condition():
                await pilot.pause(0.02)
    except TimeoutError:
        raise AssertionError(f"never seen: {what}") from None


def is_alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
