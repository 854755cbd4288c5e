"""A program on a pseudo-terminal, measured from outside: when it paints, how much, at what cost."""

from __future__ import annotations

import os
import re
import select
import time
from collections.abc import Mapping, Sequence

import psutil

from tests.console.terminals import Terminal

LIMIT_SECONDS = 30.0
SIZE = (120, 40)


class Probe(Terminal):
    """A terminal that counts and times. Everything read is kept in ``written``."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], size: tuple[int, int] = SIZE) -> None:
        self.started = time.perf_counter()
        super().__init__(argv, env, size=size)
        self.process = psutil.Process(self.pid)

    def seconds_to(self, pattern: bytes, *, since: float | None = None, from_byte: int = 0) -> float:
        """Seconds until ``pattern`` (a regular expression) is seen; ``since`` is a perf_counter."""
        begun = self.started if since is None else since
        wanted = re.compile(pattern)
        while not wanted.search(self.written, from_byte):
            if time.perf_counter() - begun > LIMIT_SECONDS:
                raise TimeoutError(f"{pattern!r} was never seen; last: {bytes(self.written[-300:])!r}")
            self.take(0.01)
        return time.perf_counter() - begun

    def press(self, key: bytes, pattern: bytes) -> float:
        """Seconds from ``key`` until ``pattern`` is seen in what is written after it."""
        from_byte, since = len(self.written), time.perf_counter()
        self.send(key)
        return self.seconds_to(pattern, since=since, from_byte=from_byte)

    def rest(self, seconds: float) -> int:
        """Keep reading for a while; how many bytes came."""
        before, until = len(self.written), time.perf_counter() + seconds
        while (left := until - time.perf_counter()) > 0:
            self.take(min(left, 0.05))
        return len(self.written) - before

    def cpu_seconds(self) -> float:
        """Of the program alone, without its children."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def resident_bytes(self) -> int:
        return int(self.process.memory_info().rss)

    def take(self, seconds: float) -> None:
        ready, _, _ = select.select([self._master], [], [], seconds)
        if ready:
            self.written += os.read(self._master, 65536)
