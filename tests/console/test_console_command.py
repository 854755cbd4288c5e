from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.console.terminals import Terminal
from tests.console.workspaces import empty_workspace

WORDS = [sys.executable, "-P", "-m", "console"]


def environment(**changes: str) -> dict[str, str]:
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
    with Terminal([*WORDS, "-C", str(root), *words], environment(**changes)) as terminal:
        terminal.read_until(lambda seen: b"DRIFT" in seen and why in seen, "the plain status")
        assert b"\x1b" not in terminal.written


@pytest.mark.parametrize(
    "changes", [{}, {"NO_COLOR": "1"}, {"TERM": "screen"}, {"SSH_CONNECTION": "1 2 3 4"}]
)
def test_a_terminal_gets_the_screen_and_q_leaves_it(tmp_path: Path, changes: dict[str, str]) -> None:
    root = empty_workspace(tmp_path)
    with Terminal([*WORDS, "-C", str(root)], environment(**changes)) as terminal:
        terminal.read_until(lambda seen: b"\x1b[?1049h" in seen and b"FIREWALL" in seen, "the dashboard")
        assert b"\x1b[38;2;" not in terminal.written or not changes
        terminal.send(b"q")
        terminal.read_until(lambda seen: b"\x1b[?1049l" in seen, "the end")
