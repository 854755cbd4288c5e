"""The terminal's last hope: signals, a hang-up, a terminal that reads no more.

Textual handles neither SIGTERM nor SIGHUP, spins when the terminal is gone and SIGHUP was
ignored, and blocks its event loop when the terminal is stalled. So the way out is kept beside
it: a signal first asks the app to leave; if that takes too long, the terminal is restored from
here and the process ends. Runs are detached and do not notice.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import termios
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Self

GRACE_SECONDS = 0.7
HANGUP, TERMINATED = 128 + signal.SIGHUP, 128 + signal.SIGTERM
# Leave the alternate screen; cursor on; mouse, focus, paste and keyboard protocols off.
RESTORE = (
    b"\x1b[?1049l\x1b[?25h\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1004l\x1b[?2004l\x1b[<u\x1b[0m"
)


class Lifeline:
    """A context around the running app. ``leave`` asks it to exit with a code, from any thread."""

    def __init__(self, leave: Callable[[int], None]) -> None:
        self._leave = leave
        self._before: list[object] | None = None
        self._handlers: dict[int, object] = {}
        self._wake_read, self._wake_write = os.pipe()
        self._done = threading.Event()
        self._hung_up = False

    def __enter__(self) -> Self:
        with contextlib.suppress(termios.error):
            self._before = termios.tcgetattr(sys.__stdin__.fileno()) if sys.__stdin__ else None
        for number in (signal.SIGHUP, signal.SIGTERM):
            self._handlers[number] = signal.signal(number, self._on_signal)
        threading.Thread(target=self._watch_for_hangup, name="hangup", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        os.write(self._wake_write, b".")
        if self._hung_up:
            _let_go_of_terminal()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal.signal gave us

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._go(128 + number)

    def _go(self, code: int) -> None:
        """Ask, then insist. The timer's thread runs even while the event loop is blocked."""
        self._hung_up = code == HANGUP
        timer = threading.Timer(GRACE_SECONDS, self._insist, (code,))
        timer.daemon = True
        timer.start()
        self._leave(code)

    def _insist(self, code: int) -> None:
        if self._done.is_set():
            return
        for stream in (2, 0):
            with contextlib.suppress(OSError):
                os.set_blocking(stream, False)
                os.write(stream, RESTORE)
                break
        if self._before is not None:
            with contextlib.suppress(termios.error):
                # TCSAFLUSH would wait for a terminal that reads no more.
                termios.tcsetattr(0, termios.TCSANOW, self._before)  # type: ignore[arg-type]
        os._exit(code)

    def _watch_for_hangup(self) -> None:
        """Waits in the kernel, without polling, until the terminal is gone or the app has ended."""
        poll = select.poll()
        poll.register(0, 0)
        poll.register(self._wake_read, select.POLLIN)
        for descriptor, _ in poll.poll():
            if descriptor == 0 and not self._done.is_set():
                self._go(HANGUP)


def _let_go_of_terminal() -> None:
    """Point the standard streams at nothing: a last flush into a lost terminal would fail, and
    turn the exit code into another one."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)
