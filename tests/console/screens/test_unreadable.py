"""A screen that finds nothing because nothing can be read says that, and calls nothing empty."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest

from console.reading.row_files import find_row_files
from console.reading.skip_tally import SkipTally
from console.tui.screens.marked_list import MarkedList
from console.tui.widgets.canvas import Canvas
from pipeline.contracts import paths
from tests.console import states
from tests.console.apps import text_of
from tests.console.other_user import open_folder, unprivileged
from tests.console.row_workspaces import with_rows
from tests.console.screens.opened import app_on, press, seen
from tests.waiting import until


@pytest.mark.parametrize("key", ["A", "R", "D", "S", "F"])
async def test_no_list_of_a_removed_workspace_is_called_empty(tmp_path: Path, key: str) -> None:
    state = states.removed() if key != "R" else states.unknown()
    text = await seen(app_on(tmp_path / "gone", state=state), key)
    assert "? unknown  the workspace cannot be read" in text
    assert "never" not in text
    assert "no files" not in text
    assert "FIREWALL ? UNKNOWN" in text


def test_a_refused_folder_of_rows_is_named_beside_the_files_that_are_found() -> None:
    with open_folder() as root:
        with_rows(root)
        (root / paths.EVIDENCE).chmod(0)
        (root / paths.SFT_EXPORT).parent.chmod(0)
        found = unprivileged(lambda: find_row_files(root))
    assert set(found.troubles) == {
        f"permission denied on {root / paths.EVIDENCE}",
        f"permission denied on {(root / paths.SFT_EXPORT).parent}",
    }
    assert str(paths.DISTILLATION_SKIPS) in [file.relative for file in found.files]


def test_skips_that_are_refused_are_told_and_told_no_longer_once_they_are_read() -> None:
    with open_folder() as root:
        with_rows(root)
        tally = SkipTally(root)

        def trouble() -> str:
            tally.count(Event())
            return tally.trouble

        (root / paths.DISTILLATION_SKIPS).chmod(0)
        assert unprivileged(trouble) == f"permission denied on {root / paths.DISTILLATION_SKIPS}"
        tally.trouble = "it was refused"
        (root / paths.DISTILLATION_SKIPS).chmod(0o644)
        assert trouble() == ""
        assert tally.rows == 7


async def test_no_cell_of_a_dashboard_that_cannot_be_read_is_green(tmp_path: Path) -> None:
    app = app_on(tmp_path / "gone", state=states.removed())
    async with app.run_test(size=(200, 60)) as pilot:
        await press(pilot)
        for canvas in app.screen.query(Canvas):
            roles = {span.role for spans in canvas.lines for span in spans if span.text.strip()}
            assert not roles & {"ok", "accepted"}, canvas.id


@pytest.mark.parametrize("key", ["A", "S"])
async def test_a_list_whose_reading_fails_says_so_until_it_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    app = app_on(tmp_path)
    broken = True

    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, key)
        screen = app.screen
        assert isinstance(screen, MarkedList)
        look = screen.look

        def failing() -> None:
            if broken:
                raise OSError(24, "Too many open files")
            look()

        monkeypatch.setattr(screen, "look", failing)
        screen.look_again()
        await until(pilot, lambda: "Too many open files" in text_of(app), "what is wrong")
        broken = False
        screen.look_again()
        await until(pilot, lambda: "Too many open files" not in text_of(app), "the list")


@pytest.mark.parametrize("key", ["A", "R", "D", "S", "F"])
async def test_a_list_without_file_descriptors_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    """Three lines that stay for as long as it cannot be read, whatever was to be read."""

    def none_left(_: MarkedList) -> None:
        raise OSError(24, "Too many open files")

    app = app_on(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, key)
        screen = app.screen
        assert isinstance(screen, MarkedList)
        monkeypatch.setattr(type(screen), "look", none_left)
        screen.look_again()
        await until(pilot, lambda: "Too many open files" in text_of(app), "the failure on the screen")
        text = " ".join(text_of(app).split())
    assert "cannot be read" in text
    assert "kept safe" in text
    assert "ulimit -n" in text


@pytest.mark.parametrize(
    ("key", "command"), [("A", "audit-full"), ("A", "acceptance"), ("F", "release-freeze")]
)
async def test_a_report_that_cannot_be_read_is_told_whole(tmp_path: Path, key: str, command: str) -> None:
    report = {
        "audit-full": paths.AUDIT_DATA,
        "acceptance": paths.ACCEPTANCE_DATA,
        "release-freeze": paths.RELEASE_FREEZE_DATA,
    }[command]
    (tmp_path / report).parent.mkdir(parents=True)
    (tmp_path / report).write_text("{torn")
    text = " ".join((await seen(app_on(tmp_path), key)).split())
    assert f"The last report of {command} cannot be used" in text
    assert "its checks count as unknown" in text
    assert f"distill {command}" in text
