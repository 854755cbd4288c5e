"""A program on a pseudo-terminal of its own: what it writes, and how it ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.waiting import LIMIT_SECONDS

ARGV = [sys.executable, "-P", "-m", "console"]
# So many looks in a row, 20 ms apart, must find a program asleep: longer than the 0.1 s for which an
# Escape may be the beginning of another key; and than the 0.3 s for which a dialogue is deaf.
CALM_LOOKS = 8
DIALOGUE_LOOKS = 17


def environment(**changes: str) -> dict[str, str]:
    """What a program on such a terminal needs, over a link that is not local."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "XDG_STATE_HOME") if name in os.environ}
    return {**kept, "TERM": "xterm-256color", "LANG": "C.UTF-8", "SSH_CONNECTION": "1 2 3 4", **changes}


def drawn(written: bytes) -> bool:
    """Whether the dashboard of the workspace ``night`` is on the screen."""
    return b"quit" in written and b"night" in written


class Terminal:
    """Use as a context. The program is killed at the end of the block if it still runs."""

    def __init__(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        *,
        size: tuple[int, int] = (80, 24),
        ignore: int | None = None,
    ) -> None:
        self.written = bytearray()
        self.exit_code: int | None = None
        self.pid, self._master = pty.fork()
        if self.pid == 0:  # the child: nothing may escape from here
            try:
                if ignore is not None:
                    signal.signal(ignore, signal.SIG_IGN)
                os.execvpe(argv[0], list(argv), dict(env))  # noqa: S606 (an argument list, no shell)
            finally:
                os._exit(127)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self.before = termios.tcgetattr(self._master)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.exit_code is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        self.hang_up()

    def hang_up(self) -> None:
        """Close our end, as a dropped link does."""
        with contextlib.suppress(OSError):
            os.close(self._master)

    def send(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def is_restored(self) -> bool:
        """Line mode and echo are as before, and the last words left the alternate screen."""
        text = bytes(self.written)
        left = text.rfind(b"\x1b[?1049l") > text.rfind(b"\x1b[?1049h")
        return self.has_its_modes() and left and text.rfind(b"\x1b[?25h") > text.rfind(b"\x1b[?25l")

    def has_its_modes(self) -> bool:
        """Line mode and echo are as before: what a shell needs of a terminal that reads nothing."""
        return termios.tcgetattr(self._master)[:4] == self.before[:4]

    def read_until(self, seen: Callable[[bytes], bool], what: str) -> None:
        deadline = time.monotonic() + LIMIT_SECONDS
        while not seen(bytes(self.written)):
            if time.monotonic() > deadline:
                raise AssertionError(f"never seen: {what}; last: {bytes(self.written[-300:])!r}")
            self._read_once()

    def wait(self, *, reading: bool = True) -> int:
        """The exit code. A stalled terminal is one that is not ``reading``."""
        deadline = time.monotonic() + LIMIT_SECONDS
        while time.monotonic() < deadline:
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if reading:
                self._read_once()
            if done:
                self.exit_code = os.waitstatus_to_exitcode(status)
                return self.exit_code
            select.select([], [], [], 0.01)
        raise AssertionError("the program did not end")

    def _read_once(self) -> bool:
        """Whether the program wrote anything within 20 ms."""
        with contextlib.suppress(OSError):
            waiting = select.poll()  # select() knows no descriptor past 1,023
            waiting.register(self._master, select.POLLIN)
            if waiting.poll(20):
                self.written += os.read(self._master, 65536)
                return True
        return False

    def settle(self, *, looks: int = CALM_LOOKS, reading: bool = True, with_children: bool = True) -> None:
        """Wait until the program, and whatever it started, has done all that there is to do.

        It writes nothing more and each of its threads sleeps. One that wants a processor does not sleep,
        however busy the machine is, so that a slow answer is waited for and a spinning loop never settles.
        """
        deadline = time.monotonic() + LIMIT_SECONDS
        calm = 0
        while calm < looks:
            assert time.monotonic() < deadline, f"never still; last: {bytes(self.written[-300:])!r}"
            is_quiet = not (reading and self._read_once())
            if not reading:
                time.sleep(0.02)
            calm = calm + 1 if is_quiet and not _is_at_work(self.pid, with_children) else 0

    def answer(self, *keys: bytes, looks: int = CALM_LOOKS) -> None:
        """Send each of the keys and let the program do what it does on it.

        What it started goes on: a child of lowest priority, which no key waits for, may take a minute
        of a busy machine.
        """
        for key in keys:
            self.send(key)
            self.settle(looks=looks, with_children=False)

    def resize(self, columns: int, lines: int) -> None:
        """The terminal's window changes; the kernel tells the program."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self._read_once()


def _is_at_work(pid: int, with_children: bool) -> bool:
    """Whether a thread of the process, or of one that it started, runs or wants to."""
    with contextlib.suppress(OSError):  # a thread or process that ended meanwhile
        for thread in Path(f"/proc/{pid}/task").iterdir():
            if (thread / "stat").read_text().rpartition(")")[2].split()[0] in "RD":
                return True
            children = (thread / "children").read_text().split() if with_children else ()
            if any(_is_at_work(int(child), with_children) for child in children):
                return True
    return False
