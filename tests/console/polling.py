"""Wait for something that another process does, never for a length of time."""

from __future__ import annotations

import time
from collections.abc import Callable

LIMIT_SECONDS = 60.0


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Look again and again until ``condition`` holds. Fails, naming ``what``, when it never does."""
    end = time.monotonic() + LIMIT_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"never seen: {what}")
        time.sleep(0.02)
