"""Work beside the screen: its result and its errors arrive, and it holds up no exit."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from console.live.daemon_work import in_thread

_PROGRAM = """
import asyncio, time
from console.live.daemon_work import in_thread

async def main():
    try:
        await asyncio.wait_for(in_thread(lambda: time.sleep(600)), 0.1)
    except TimeoutError:
        print("left")

asyncio.run(main())
"""


async def test_a_result_and_an_error_arrive() -> None:
    assert await in_thread(lambda: 6 * 7) == 42
    with pytest.raises(ZeroDivisionError):
        await in_thread(lambda: 1 / 0)


def test_work_that_does_not_end_keeps_no_program_from_ending() -> None:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "left\n"
    assert time.monotonic() - began < 60
