"""Copied text reaches the operator's own clipboard, or it is said that it cannot."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest

from console.live.live_feed import LiveFeed
from console.tui.capture import osc52
from pipeline.contracts.untrusted import visible
from tests.console import states
from tests.console.apps import StillApp


def test_text_is_wrapped_in_osc_52() -> None:
    assert osc52("rows", inside_tmux=False) == "\x1b]52;c;cm93cw==\x07"


def test_within_tmux_it_goes_both_ways() -> None:
    sequence = osc52("rows", inside_tmux=True)
    assert sequence == "\x1b]52;c;cm93cw==\x07\x1bPtmux;\x1b\x1b]52;c;cm93cw==\x07\x1b\\"


def test_text_too_long_for_a_terminal_is_refused() -> None:
    assert osc52("x" * 60_000, inside_tmux=False) is None


def test_hostile_text_cannot_leave_the_sequence() -> None:
    text = "\x07\x1b]0;title\x07 \ud800"
    found = re.fullmatch(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", osc52(text, inside_tmux=False) or "")
    assert found is not None
    assert base64.b64decode(found[1]).decode("utf-8", "surrogatepass") == text


async def test_nothing_that_is_copied_can_act_where_it_is_pasted(monkeypatch: pytest.MonkeyPatch) -> None:
    app = StillApp(states.healthy())
    async with app.run_test(size=(80, 24)) as pilot:
        sent: list[str] = []
        assert app._driver is not None
        monkeypatch.setattr(app._driver, "write", sent.append)  # what the terminal would get
        app.capture.copy("\x1b]52;c;x\x07 row\r\nnext \u202e\x9b31m", "it")
        await pilot.pause()
    copies = [re.fullmatch(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", text) for text in sent]
    found = [base64.b64decode(copy[1]).decode() for copy in copies if copy is not None]
    assert found == ["\\x1b]52;c;x\\x07 row\nnext \\u202e\\x9b31m"]


async def test_a_command_on_a_hostile_path_is_one_line_that_nothing_obeys(tmp_path: Path) -> None:
    root = tmp_path / "logs\x1b[2J\nrm -rf ~\n\u202e"
    root.mkdir()
    line = LiveFeed(root).plan("run.start")
    assert line is not None
    assert visible(line.command_line) == line.command_line
    assert line.command_line.endswith("logs\\033[2J\\012rm -rf ~\\012\\342\\200\\256'")
