"""The firewall's watcher as a subprocess: its states as facts, its silence as UNKNOWN.

The watcher always runs from the installation, never from the workspace. When it dies it is
started again, later each time; whoever listens learns of the death at once, since an
alarm that is not being watched must not read as calm.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path

import orjson

from console.reading.firewall_words import firewall_status
from console.state.view_state import FirewallLost, FirewallSeen
from pipeline.contracts.discovery import firewall_argv, firewall_environment
from pipeline.contracts.untrusted import visible

SILENCE_SECONDS = 10.0
BACK_OFF_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
HEALTHY_SECONDS = 60.0
MAX_LINE_BYTES = 1024 * 1024


class FirewallWatch:
    """``argv`` is for tests; by default the installed firewall watches ``root``."""

    def __init__(
        self,
        root: Path,
        *,
        argv: Sequence[str] | None = None,
        silence_seconds: float = SILENCE_SECONDS,
        back_off_seconds: Sequence[float] = BACK_OFF_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._argv = (
            list(argv) if argv is not None else firewall_argv(["-C", str(root), "--watch", "--events", "-"])
        )
        self._silence_seconds = silence_seconds
        self._back_off_seconds = back_off_seconds
        self._clock = clock

    async def states(self) -> AsyncGenerator[FirewallSeen | FirewallLost, None]:
        """Facts for ever. Closing the iterator ends the watcher."""
        failures = 0
        while True:
            began = time.monotonic()
            # Closed here and now: a generator left to the collector would leave its process running.
            async with contextlib.aclosing(self._one_life()) as life:
                async for fact in life:
                    yield fact
            failures = 0 if time.monotonic() - began > HEALTHY_SECONDS else failures + 1
            pause = self._back_off_seconds[min(failures, len(self._back_off_seconds)) - 1 if failures else 0]
            await asyncio.sleep(pause)

    async def _one_life(self) -> AsyncGenerator[FirewallSeen | FirewallLost, None]:
        try:
            process = await asyncio.create_subprocess_exec(
                *self._argv,
                env=firewall_environment(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=MAX_LINE_BYTES,
                start_new_session=True,  # a ctrl+c in the terminal is the console's affair
            )
        except OSError as error:
            yield FirewallLost(f"could not be started: {error.strerror}")
            return
        words: deque[str] = deque(maxlen=3)
        listening = asyncio.create_task(_keep_last_words(process.stderr, words))
        silent = False
        try:
            while True:
                try:
                    line = await asyncio.wait_for(_line(process.stdout), self._silence_seconds)
                except TimeoutError:
                    if not silent:
                        yield FirewallLost(f"silent for {self._silence_seconds:g} s")
                    silent = True
                    continue
                except ValueError:
                    yield FirewallLost("wrote a line longer than any state")
                    return
                if not line:
                    break
                fact = self._fact(line)
                if fact is not None:
                    silent = False
                    yield fact
            code = await process.wait()
            await listening
            last = f": {words[-1]}" if words else ""
            yield FirewallLost(f"ended with exit code {code}{last}")
        finally:
            listening.cancel()
            await _end(process)

    def _fact(self, line: bytes) -> FirewallSeen | None:
        try:
            said = orjson.loads(line)
        except orjson.JSONDecodeError:
            return None
        if not isinstance(said, dict) or said.get("type") != "firewall.state":
            return None
        return FirewallSeen(firewall_status(said, self._clock()))


async def _line(stream: asyncio.StreamReader | None) -> bytes:
    return b"" if stream is None else await stream.readline()


async def _keep_last_words(stream: asyncio.StreamReader | None, words: deque[str]) -> None:
    """Drain standard error, or the watcher would stop at a full pipe."""
    if stream is None:
        return
    while data := await stream.read(4096):
        words.extend(
            visible(text, 200) for text in data.decode(errors="replace").splitlines() if text.strip()
        )


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 1.0)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.communicate()  # to the end of its pipes, or they stay open behind us
