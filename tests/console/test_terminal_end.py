"""What kind of console a terminal gets; and however it ends, the terminal is whole, and the code says why."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.console.terminals import ARGV, Terminal, drawn, environment
from tests.console.workspaces import empty_workspace


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
        assert not terminal.has_its_modes()
        terminal.signal(signal.SIGTERM)
        assert terminal.wait(reading=False) == 143
        assert terminal.has_its_modes()


HANGS = """
import sys, termios, time, tty
from console.terminal import lifeline
lifeline.GRACE_SECONDS = 0.1
with lifeline.Lifeline(lambda code: None):
    tty.setraw(0)
    sys.stdout.write("\x1b[?1049h\x1b[?25l")
    sys.stdout.flush()
    time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_console_that_hangs_is_ended_and_leaves_a_whole_terminal(number: int) -> None:
    with Terminal([sys.executable, "-c", HANGS], environment()) as terminal:
        terminal.read_until(lambda seen: b"\x1b[?25l" in seen, "the screen")
        assert not terminal.has_its_modes()
        terminal.signal(number)
        assert terminal.wait() == 128 + number
        assert terminal.is_restored()


def test_without_a_terminal_there_are_no_escape_sequences(root: Path) -> None:
    done = subprocess.run(
        [*ARGV, "-C", str(root)],
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
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


# What kind of console a terminal gets


def local_environment(**changes: str) -> dict[str, str]:
    left_out = ("DISTILL", "SSH", "TMUX", "TEXTUAL", "COLORTERM", "NO_COLOR", "LC_", "LANG", "STY")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    return {**kept, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **changes}


@pytest.mark.parametrize(
    ("words", "changes", "why"),
    [
        ([], {"TERM": "dumb"}, b"plain: TERM is dumb"),
        (["--plain"], {}, b"plain: asked for with --plain"),
        (["--profile", "plain"], {}, b"plain: asked for with --plain"),
        (["console", "--plain"], {"SSH_CONNECTION": "1 2 3 4"}, b"plain: asked for with --plain"),
    ],
)
def test_a_terminal_that_cannot_or_shall_not_draw_gets_lines(
    tmp_path: Path, words: list[str], changes: dict[str, str], why: bytes
) -> None:
    root = empty_workspace(tmp_path)
    with Terminal([*ARGV, "-C", str(root), *words], local_environment(**changes)) as terminal:
        terminal.read_until(lambda seen: b"DRIFT" in seen and why in seen, "the plain status")
        assert b"\x1b" not in terminal.written


@pytest.mark.parametrize(
    "changes", [{}, {"NO_COLOR": "1"}, {"TERM": "screen"}, {"SSH_CONNECTION": "1 2 3 4"}]
)
def test_a_terminal_gets_the_screen_and_q_leaves_it(tmp_path: Path, changes: dict[str, str]) -> None:
    root = empty_workspace(tmp_path)
    with Terminal([*ARGV, "-C", str(root)], local_environment(**changes)) as terminal:
        terminal.read_until(lambda seen: b"\x1b[?1049h" in seen and b"FIREWALL" in seen, "the dashboard")
        assert b"\x1b[38;2;" not in terminal.written or not changes
        terminal.send(b"q")
        terminal.read_until(lambda seen: b"\x1b[?1049l" in seen, "the end")
