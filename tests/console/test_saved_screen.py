"""A screen kept as a file: what was seen, for its owner alone, free of what a terminal obeys."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from console.tui.capture import FOLDER, save_screen
from pipeline.contracts.faults import StorageError
from tests.console import states
from tests.console.screens.opened import app_on


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
