"""What is copied and what is kept as a file: what was seen, free of what a terminal obeys."""

from __future__ import annotations

import base64
import errno
import os
import re
import stat
from pathlib import Path

import pytest

from console.live.live_feed import LiveFeed
from console.tui.capture import FOLDER, osc52, save_screen
from console.tui.screens.fault import FaultDialogue
from pipeline.contracts.faults import StorageError
from pipeline.contracts.untrusted import visible
from tests.console import states
from tests.console.apps import StillApp, text_of
from tests.console.screens.opened import app_on

# Kept as a file


@pytest.mark.parametrize(("key", "ending"), [("v", "svg"), ("ctrl+s", "svg"), ("V", "txt")])
async def test_the_screen_is_saved_and_its_place_is_told(tmp_path: Path, key: str, ending: str) -> None:
    app = app_on(tmp_path, state=states.breach())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(key)
        (saved,) = (tmp_path / FOLDER).iterdir()
        assert app.notice == f"saved: {FOLDER / saved.name}"
    assert saved.suffix == f".{ending}"
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    text = saved.read_text(encoding="utf-8").replace("&#160;", " ")
    assert "S1.P4.sft-leak" in text
    assert "P9 release" in text


async def test_the_text_stands_as_the_screen_does(tmp_path: Path) -> None:
    app = app_on(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("V")
    (saved,) = (tmp_path / FOLDER).iterdir()
    lines = saved.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 24
    assert all(len(line) <= 80 for line in lines)
    assert any("FIREWALL" in line and "PHASES" in line for line in lines)


def test_what_a_terminal_obeys_is_not_in_the_file(tmp_path: Path) -> None:
    path = save_screen(tmp_path, "a\x1b[2J\nb\x9b31m", "txt", states.NOW)
    assert (tmp_path / path).read_text() == "a[2J\nb31m"


def test_where_nothing_can_be_written_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file is in the way")
    with pytest.raises(StorageError):
        save_screen(tmp_path, "text", "txt", states.NOW)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EMFILE, errno.EROFS], ids=errno.errorcode.get)
async def test_a_screen_that_cannot_be_saved_is_told_in_three_lines_that_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """A line that goes away after seconds is no way to hear that the disk is full."""

    def full(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    app = app_on(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        monkeypatch.setattr(os, "fsync", full)
        await pilot.press("V")
        await pilot.pause()
        assert isinstance(app.screen, FaultDialogue)
        text = " ".join(text_of(app).split())
    for label in ("what happened", "kept safe", "do next"):
        assert label in text
    assert os.strerror(number) in text


# Copied


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
