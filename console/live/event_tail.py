"""Follow an event stream on disk while it grows: bytes to events, bounded in every direction.

One ``read_slice`` holds the caller for about 8 ms at most and keeps at most one partial line in
memory, however large or damaged the file is. A newer progress event replaces the older ones of
its stage, and of ordinary log lines no more are decoded than a screen can keep and an eye can
follow, so that ten thousand events a second cost a screen no more than a hundred; warnings and
errors are decoded all the same. Truncation and rotation start the file over; a lost line is told
by ``seq``.
"""

from __future__ import annotations

import os
import stat
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from console.state.view_state import LOG_LIMIT, TailSlice

if TYPE_CHECKING:
    from pipeline.contracts.events import Event

READ_BYTES = 64 * 1024
MAX_LINE_BYTES = 4 * 1024 * 1024
MAX_DECODED_EVENTS = 512
SLICE_SECONDS = 0.008
RUNNING_POLL_SECONDS = 0.05
# What is read at once may fill the log; what keeps coming is thinned out to this rate.
LOG_LINES_PER_SECOND = 400
_ALWAYS_KEPT = frozenset(("warning", "error"))
# Looking at the clock for every line would cost as much as parsing it.
_LINES_PER_CLOCK = 64


class EventTail:
    """Reads one file from its start and then what is appended. Never blocks on a FIFO."""

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._descriptor: int | None = None
        self._identity: tuple[int, int] | None = None
        self._offset = 0
        self._partial = bytearray()
        self._skipping_line = False
        self._last_seq = 0
        self._log_allowance = float(LOG_LIMIT)
        self._allowed_at = clock()

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def read_slice(self, budget_seconds: float = SLICE_SECONDS) -> TailSlice:
        """Read and decode until the file or the budget ends. A missing file is an empty slice.

        Half of the budget is for reading; what was kept takes about as long again to decode.
        """
        deadline = self._clock() + budget_seconds / 2
        restarted = self._open_or_restart()
        if self._descriptor is None:
            return TailSlice(restarted=restarted)
        sieve = _Sieve(self._last_seq, self._log_lines_now())
        caught_up = False
        while self._clock() < deadline and not sieve.is_full:
            try:
                data = os.pread(self._descriptor, READ_BYTES, self._offset)
            except OSError:
                caught_up = True
                break
            if not data:
                caught_up = True
                break
            self._offset += self._feed(data, sieve, deadline)
        self._last_seq = sieve.last_seq
        self._log_allowance -= sieve.log_lines_kept
        return sieve.slice(restarted=restarted, caught_up=caught_up)

    def _log_lines_now(self) -> int:
        """How many ordinary log lines the next slice may keep: a bucket that fills with time."""
        now = self._clock()
        earned = (now - self._allowed_at) * LOG_LINES_PER_SECOND
        self._allowed_at = now
        self._log_allowance = min(float(LOG_LIMIT), self._log_allowance + earned)
        return max(1, int(self._log_allowance))

    def _feed(self, data: bytes, sieve: _Sieve, deadline: float) -> int:
        """Take lines out of ``data``; returns how many of its bytes were used up."""
        start = 0
        for count in range(1, len(data) + 2):
            end = data.find(b"\n", start)
            if end < 0:
                self._keep_partial(data[start:], sieve)
                return len(data)
            if self._skipping_line:
                self._skipping_line = False
            elif self._partial:
                self._partial += data[start:end]
                if len(self._partial) > MAX_LINE_BYTES:
                    sieve.refuse()
                else:
                    sieve.add(bytes(self._partial))
            else:
                sieve.add(data[start:end])
            self._partial.clear()
            start = end + 1
            if sieve.is_full or (count % _LINES_PER_CLOCK == 0 and self._clock() >= deadline):
                break
        return start

    def _keep_partial(self, rest: bytes, sieve: _Sieve) -> None:
        if self._skipping_line:
            return
        self._partial += rest
        if len(self._partial) > MAX_LINE_BYTES:
            self._partial.clear()
            self._skipping_line = True
            sieve.refuse()

    def _open_or_restart(self) -> bool:
        """Make sure that the right file is open. True when an earlier position was given up."""
        try:
            found = os.stat(self._path)  # noqa: PTH116 (compared with fstat, as one idea)
        except OSError:
            return False  # what is open stays readable; a file that comes back is a new one
        identity = (found.st_dev, found.st_ino)
        if self._descriptor is not None and identity == self._identity and found.st_size >= self._offset:
            return False
        had_position = self._offset > 0
        self.close()
        self._offset, self._last_seq, self._skipping_line = 0, 0, False
        self._partial.clear()
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return had_position
        opened = os.fstat(descriptor)
        if not stat.S_ISREG(opened.st_mode):
            os.close(descriptor)
            return had_position
        self._descriptor, self._identity = descriptor, (opened.st_dev, opened.st_ino)
        return had_position


class _Sieve:
    """Keeps of many lines those that a screen needs, in order, and counts the rest."""

    def __init__(self, last_seq: int, log_limit: int) -> None:
        self.last_seq = last_seq
        self._log_limit = log_limit
        self._kept: dict[int, bytes] = {}
        self._progress_at: dict[str, int] = {}
        self._logs: deque[int] = deque()
        self._lines = 0
        self._lost = 0
        self._garbage = 0
        self._replaced = 0

    @property
    def is_full(self) -> bool:
        """Whether decoding what is kept would already take about a slice's time."""
        return len(self._kept) >= MAX_DECODED_EVENTS

    @property
    def log_lines_kept(self) -> int:
        return len(self._logs)

    def refuse(self) -> None:
        self._lines += 1
        self._garbage += 1

    def add(self, line: bytes) -> None:
        if not line.strip():
            return
        self._lines += 1
        try:
            value: Any = orjson.loads(line)
        except orjson.JSONDecodeError:
            self._garbage += 1
            return
        kind = value.get("type") if isinstance(value, dict) else None
        if not isinstance(kind, str):
            self._garbage += 1
            return
        self._note_seq(value.get("seq"), kind)
        key = self._lines
        self._kept[key] = line
        if kind == "stage.progress":
            older = self._progress_at.get(str(value.get("stage")))
            if older is not None:
                del self._kept[older]
                self._replaced += 1
            self._progress_at[str(value.get("stage"))] = key
        elif kind == "log" and value.get("level") not in _ALWAYS_KEPT:
            self._logs.append(key)
            if len(self._logs) > self._log_limit:
                del self._kept[self._logs.popleft()]
                self._replaced += 1

    def slice(self, *, restarted: bool, caught_up: bool) -> TailSlice:
        from pipeline.contracts.events import decode  # a fifth of a console's memory; only for a run

        events: list[Event] = []
        for line in self._kept.values():
            try:
                events.append(decode(line))
            except ValueError:
                self._garbage += 1
        return TailSlice(
            events=tuple(events),
            lines=self._lines,
            lost=self._lost,
            garbage=self._garbage,
            replaced=self._replaced,
            restarted=restarted,
            caught_up=caught_up,
        )

    def _note_seq(self, seq: object, kind: str) -> None:
        if not isinstance(seq, int) or isinstance(seq, bool):
            return
        if kind == "run.started":
            self.last_seq = seq  # a new run in the same file counts from its own start
            return
        if seq > self.last_seq:
            self._lost += seq - self.last_seq - 1
            self.last_seq = seq
