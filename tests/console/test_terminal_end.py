"""However the console ends, the terminal is whole again, and the code says why."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.console.terminals import Terminal

ARGV = [sys.executable, "-P", "-m", "console"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "distill.toml").write_text('[workspace]\nname = "night"\n')
    return tmp_path


def environment(**changes: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "TERM": "xterm-256color", "LANG": "C.UTF-8", "SSH_CONNECTION": "1 2 3 4", **changes}


def drawn(written: bytes) -> bool:
    return b"quit" in written and b"night" in written


@pytest.mark.parametrize(
    ("number", "exit_code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=["SIGTERM", "SIGHUP"]
)
def test_a_signal_restores_the_terminal(root: Path, number: int, exit_code: int) -> None:
    with Terminal([*ARGV, "-C", str(root)], environment()) as terminal:
        terminal.read_until(drawn, "the dashboard")
        terminal.signal(number)
        assert terminal.wait() == exit_code
        assert terminal.is_restored()


def test_quitting_restores_the_terminal(root: Path) -> None:
    with Terminal([*ARGV, "-C", str(root)], environment()) as terminal:
        terminal.read_until(drawn, "the dashboard")
        terminal.send(b"q")
        assert terminal.wait() == 0
        assert terminal.is_restored()


def test_a_dropped_link_ends_the_console_even_when_hang_ups_are_ignored(root: Path) -> None:
    with Terminal([*ARGV, "-C", str(root)], environment(), ignore=signal.SIGHUP) as terminal:
        terminal.read_until(drawn, "the dashboard")
        terminal.hang_up()
        assert terminal.wait(reading=False) == 129


def test_a_stalled_terminal_does_not_hold_the_console_back(root: Path) -> None:
    with Terminal([*ARGV, "-C", str(root)], environment(), size=(200, 60)) as terminal:
        terminal.read_until(drawn, "the dashboard")
        for _ in range(200):
            terminal.send(b"z")  # each repaints the screen into a terminal that nobody reads
        terminal.signal(signal.SIGTERM)
        assert terminal.wait(reading=False) == 143


def test_without_a_terminal_there_are_no_escape_sequences(root: Path) -> None:
    done = subprocess.run(
        [*ARGV, "-C", str(root)],
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert b"\x1b" not in done.stdout + done.stderr
    assert b"night" in done.stdout
    assert done.returncode in (0, 1, 10)


def test_a_lean_link_gets_no_colours_but_its_own_and_no_mouse(root: Path) -> None:
    with Terminal([*ARGV, "-C", str(root)], environment(COLORTERM="truecolor")) as terminal:
        terminal.read_until(drawn, "the dashboard")
        assert b"38;2;" not in terminal.written
        assert b"48;2;" not in terminal.written
        assert b"\x1b[?1003h" not in terminal.written
