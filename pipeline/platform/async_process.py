"""The same for whoever must not block: a program's answer awaited, or its lines as they come."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Unpack

from pipeline.contracts.untrusted import visible
from pipeline.platform.first_act import first_act
from pipeline.platform.process import GRACE_SECONDS, How, NotWantedError, run
from pipeline.platform.process_end import Ended

MAX_LINE_BYTES = 1 << 20
_WORDS_KEPT = 3


async def run_async(argv: Sequence[str], **how: Unpack[How]) -> Ended:
    """As ``run``, in a thread. Whoever is cancelled meanwhile has ended the program."""
    left = threading.Event()

    def check() -> None:
        if left.is_set():
            raise NotWantedError("nobody waits for it any more")

    try:
        return await asyncio.to_thread(run, argv, check=check, **how)
    finally:
        left.set()


class Followed:
    """A program that works on while its lines are read."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._words: deque[str] = deque(maxlen=_WORDS_KEPT)
        self._listening = asyncio.create_task(self._keep_last_words())

    @property
    def pid(self) -> int:
        return self._process.pid

    async def line(self, silence_seconds: float) -> bytes:
        """The next line with its end; nothing after the last one.

        Raises TimeoutError after so much silence, ValueError for a line of more than MAX_LINE_BYTES.
        """
        assert self._process.stdout is not None  # noqa: S101 - a pipe, as started below
        async with asyncio.timeout(silence_seconds):
            return await self._process.stdout.readline()

    async def told_at_its_end(self) -> str:
        """How it ended, once it has: its exit code and its last words."""
        code = await self._process.wait()
        with contextlib.suppress(TimeoutError):  # somebody else may hold the pipe
            async with asyncio.timeout(GRACE_SECONDS):
                await asyncio.shield(self._listening)
        last = f": {self._words[-1]}" if self._words else ""
        return f"ended with exit code {code}{last}"

    async def _keep_last_words(self) -> None:
        """Drain standard error, or the program would stop at a full pipe."""
        assert self._process.stderr is not None  # noqa: S101 - a pipe, as started below
        while data := await self._process.stderr.read(4096):
            lines = data.decode(errors="replace").splitlines()
            self._words.extend(visible(text, 200) for text in lines if text.strip())

    async def end(self) -> None:
        """Ask it to end, then kill it and what it started.

        Whoever is cancelled once more meanwhile (a loop that closes cancels all its tasks) has no time
        left to ask, and leaves no process behind all the same.
        """
        self._listening.cancel()
        try:
            if self._process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    self._process.terminate()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(GRACE_SECONDS):
                        await self._process.wait()
                await self._kill()
            await self._drain()
        except asyncio.CancelledError:
            await self._kill()
            await self._drain()
            raise

    async def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()

    async def _drain(self) -> None:
        """To the end of its pipes, or they stay open behind us."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE_SECONDS):
                await self._process.communicate()


@contextlib.asynccontextmanager
async def follow(argv: Sequence[str], *, env: Mapping[str, str] | None = None) -> AsyncIterator[Followed]:
    """Start ``argv`` for the block; it has ended after it. Raises OSError."""
    process = await asyncio.create_subprocess_exec(
        *argv,
        env=None if env is None else dict(env),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=MAX_LINE_BYTES,
        start_new_session=True,  # a ctrl+c in the terminal is our affair
        preexec_fn=first_act(),
    )
    followed = Followed(process)
    try:
        yield followed
    finally:
        await followed.end()
