"""`distill demo` in a terminal: the console opens armed, and the run outlives it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from pipeline.contracts import paths

LIMIT_SECONDS = 60.0


class Terminal:
    """A process on a pseudo terminal of 80x24, and all that it has drawn."""

    def __init__(self, argv: list[str], cwd: Path) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        env = os.environ | {"TERM": "xterm-256color"}
        self.process = subprocess.Popen(
            argv, cwd=cwd, env=env, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)
        self.drawn = b""

    def wait_for(self, text: bytes) -> None:
        deadline = time.monotonic() + LIMIT_SECONDS
        while text not in self.drawn:
            self._read(deadline, f"{text!r} was never drawn")

    def press(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def wait_for_end(self) -> int:
        deadline = time.monotonic() + LIMIT_SECONDS
        while self.process.poll() is None:
            self._read(deadline, "the console did not end")
        return self.process.wait()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)

    def _read(self, deadline: float, complaint: str) -> None:
        if time.monotonic() > deadline:
            raise AssertionError(f"{complaint}; the last of it: {self.drawn[-500:]!r}")
        if select.select([self._master], [], [], 0.1)[0]:
            try:
                self.drawn += os.read(self._master, 65536)
            except OSError:  # the other end is closed: how Linux reports the end of a terminal
                self.process.wait(LIMIT_SECONDS)


@pytest.mark.slow
def test_the_demo_opens_the_console_armed_on_a_run_that_outlives_it(tmp_path: Path) -> None:
    root = tmp_path / "demo"
    argv = [sys.executable, "-P", "-m", "console", "demo", "--rows", "3000", "--dir", str(root)]
    terminal = Terminal(argv, tmp_path)
    try:
        terminal.wait_for(b"OPERATE")
        terminal.press(b"q")
        assert terminal.wait_for_end() == 0
    finally:
        terminal.close()
    assert b"3000 generated lines" in terminal.drawn
    deadline = time.monotonic() + LIMIT_SECONDS
    while not list((root / paths.REPORTS).glob("*/summary.json")):
        assert time.monotonic() < deadline, "the run did not outlive the console"
    assert (root / paths.SFT_EXPORT).stat().st_size > 0
