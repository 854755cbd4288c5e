"""The firewall's watcher as a subprocess: its states as facts, its silence as UNKNOWN.

The watcher always runs from the installation, never from the workspace. When it dies it is
started again, later each time; whoever listens learns of the death at once, since an
alarm that is not being watched must not read as calm.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path

import orjson

from console.state.view_state import FirewallLost, FirewallSeen
from pipeline.contracts.discovery import firewall_environment
from pipeline.platform.async_process import Followed, follow
from pipeline.platform.firewall import watcher_argv
from pipeline.reading.firewall_words import firewall_status

SILENCE_SECONDS = 10.0
BACK_OFF_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
HEALTHY_SECONDS = 60.0


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
        self._argv = list(argv) if argv is not None else watcher_argv(root)
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
            async with (
                follow(self._argv, env=firewall_environment()) as firewall,
                contextlib.aclosing(self._heard(firewall)) as facts,
            ):
                async for fact in facts:
                    yield fact
        except OSError as error:
            yield FirewallLost(f"could not be started: {error.strerror}")

    async def _heard(self, firewall: Followed) -> AsyncGenerator[FirewallSeen | FirewallLost, None]:
        silent = False
        while True:
            try:
                line = await firewall.line(self._silence_seconds)
            except TimeoutError:
                if not silent:
                    yield FirewallLost(f"silent for {self._silence_seconds:g} s")
                silent = True
                continue
            except ValueError:
                yield FirewallLost("wrote a line longer than any state")
                return
            if not line:
                yield FirewallLost(await firewall.told_at_its_end())
                return
            fact = self._fact(line)
            if fact is not None:
                silent = False
                yield fact

    def _fact(self, line: bytes) -> FirewallSeen | None:
        try:
            said = orjson.loads(line)
        except orjson.JSONDecodeError:
            return None
        if not isinstance(said, dict) or said.get("type") != "firewall.state":
            return None
        return FirewallSeen(firewall_status(said, self._clock()))
