"""A program that is followed has ended when its block has, however that was left."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from pipeline.platform.async_process import follow

# It notes that it was asked to end, and stays.
STUBBORN = """
import pathlib, signal, sys
signal.signal(signal.SIGTERM, lambda *_: pathlib.Path(sys.argv[1]).touch())
print("up", flush=True)
while True:
    signal.pause()
"""


async def test_who_is_cancelled_again_while_it_ends_leaves_no_process_behind(
    tmp_path: Path,
) -> None:
    asked = tmp_path / "asked"
    up = asyncio.Event()
    pids: list[int] = []

    async def listen() -> None:
        async with follow([sys.executable, "-c", STUBBORN, str(asked)]) as program:
            await program.line(30)
            pids.append(program.pid)
            up.set()
            await program.line(600)

    listener = asyncio.create_task(listen())
    await up.wait()
    listener.cancel()
    while not asked.exists():  # noqa: ASYNC110 - another process makes it
        await asyncio.sleep(0.01)
    listener.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listener
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)
