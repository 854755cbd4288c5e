"""The key line names the keys that work now: of a dialogue while it is open, of a field while one types."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.presentation.spans import plain_text
from console.tui.screens import wizard_page
from console.tui.screens.consent import ArmDialogue, TakeOverDialogue
from console.tui.screens.wizard import WizardScreen
from console.tui.widgets.canvas import Canvas
from pipeline.platform.lock import Holder
from tests.console import wizard_views
from tests.console.apps import LEAN, StillApp, eyes_on, text_of
from tests.console.incident_folders import piped_incident, real_incident
from tests.console.row_workspaces import with_rows
from tests.console.screens.opened import app_on, press, settled
from tests.console.workspaces import add_run, workspace_after_a_run


def key_line_of(app: StillApp) -> str:
    """The last line of the lowest full screen, which a dialogue leaves in sight."""
    below = [screen for screen in app.screen_stack if not screen.is_modal][-1]
    return plain_text([*below.query(Canvas)][-2 if below is app.screen_stack[0] else -1].lines[0])


@pytest.mark.parametrize("place", [(), ("A",)], ids=["dashboard", "a page"])
@pytest.mark.parametrize(("key", "word"), [("colon", "open"), ("a", "arm")])
async def test_a_dialogue_has_its_own_keys_on_the_key_line(
    tmp_path: Path, place: tuple[str, ...], key: str, word: str
) -> None:
    app = app_on(tmp_path, LEAN)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, *place)
        before = key_line_of(app)
        await press(pilot, key)
        assert key_line_of(app).split("  ")[0].strip() == f"enter {word}"
        assert "esc back" in key_line_of(app)
        assert "quit" not in key_line_of(app)
        await eyes_on(pilot)
        await press(pilot, "escape")
        assert key_line_of(app) == before


async def test_a_consent_keeps_its_keys_in_the_box(tmp_path: Path) -> None:
    app = app_on(tmp_path, LEAN, armed=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "s")
        assert "esc back" in text_of(app)
        assert key_line_of(app).strip() == ""


async def test_arming_without_a_reason_asks_for_one(tmp_path: Path) -> None:
    app = app_on(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "a")
        await eyes_on(pilot)
        await press(pilot, "space", "enter")
        assert isinstance(app.screen, ArmDialogue)
        assert "A reason is needed" in text_of(app)
        assert not app.armed.is_armed
        await press(pilot, *"night", "enter")
        assert app.armed.is_armed


async def test_another_word_than_the_one_asked_for_takes_nothing_over(tmp_path: Path) -> None:
    app = app_on(tmp_path)
    answers: list[bool | None] = []
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(TakeOverDialogue(Holder("mara", "db1", 4711)), answers.append)
        await eyes_on(pilot)
        await press(pilot, *"tke", "enter")
        assert "Not that word" in text_of(app)
        await press(pilot, *"take", "enter")
    assert answers == [True]


async def test_typing_a_text_to_find_has_the_keys_of_the_field(tmp_path: Path) -> None:
    with_rows(tmp_path)
    app = app_on(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "D", "enter")
        assert "/ find" in key_line_of(app)
        await press(pilot, "slash")
        assert key_line_of(app).split() == ["enter", "find", "esc", "back"]
        await press(pilot, *"nowhere", "enter")
        assert "/ find" in key_line_of(app)
        assert "no match for nowhere" in text_of(app)


async def test_typing_a_filter_of_the_log_has_the_keys_of_the_field(tmp_path: Path) -> None:
    app = app_on(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "slash")
        assert key_line_of(app).split() == ["enter", "keep", "esc", "clear"]
        await press(pilot, *"run", "enter")
        assert "/ filter" in key_line_of(app)


async def test_one_run_alone_is_not_offered_for_a_comparison(tmp_path: Path) -> None:
    from tests.console.screens.test_runs import state_of

    workspace_after_a_run(tmp_path)
    app = app_on(tmp_path, state=state_of(tmp_path))
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "R")
        assert "choose" not in text_of(app)
    add_run(tmp_path, run_id="20260427T064108Z-0001")
    app = app_on(tmp_path, state=state_of(tmp_path))
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "R")
        assert text_of(app).count("choose") == 2  # the line under the list, and the key line


async def test_a_row_without_a_long_text_offers_nothing_to_unfold(tmp_path: Path) -> None:
    with_rows(tmp_path)
    app = app_on(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "D", "enter", "enter")
        assert "+ unfold" in key_line_of(app)
        await press(pilot, "escape", "G", "enter")
        assert "torn" in text_of(app)
        assert "unfold" not in key_line_of(app)


async def test_a_wizard_at_work_offers_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for view, offered in ((wizard_views.applying, False), (wizard_views.cut_off, True)):
        desk = wizard_views.StillDesk(view())
        monkeypatch.setattr(wizard_page, "open_control", lambda *_, desk=desk: desk)
        app = app_on(tmp_path, armed=True)
        async with app.run_test(size=(80, 24)) as pilot:
            app.push_screen(WizardScreen(wizard_views.LEAK))
            await settled(pilot)
            assert ("enter answer" in key_line_of(app)) is offered


@pytest.mark.parametrize(("size", "is_folded"), [((80, 24), True), ((120, 40), False)])
async def test_a_wizard_folds_what_the_screen_has_no_room_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], is_folded: bool
) -> None:
    desk = wizard_views.StillDesk(wizard_views.contained_first())
    monkeypatch.setattr(wizard_page, "open_control", lambda *_: desk)
    app = app_on(tmp_path)
    async with app.run_test(size=size) as pilot:
        app.push_screen(WizardScreen(wizard_views.LEAK))
        await settled(pilot)
        assert ("more: + unfolds" in text_of(app)) is is_folded
        assert ("+ unfold" in key_line_of(app)) is is_folded


async def test_an_incident_offers_what_its_record_allows(tmp_path: Path) -> None:
    app = app_on(tmp_path)
    async with app.run_test(size=(120, 24)) as pilot:
        await press(pilot, "I")
        assert "fix" not in key_line_of(app)
    real_incident(tmp_path)
    piped_incident(tmp_path)
    app = app_on(tmp_path)
    async with app.run_test(size=(120, 24)) as pilot:
        await press(pilot, "I", "end", "enter")
        assert {"h/l step", "U copy undo"} <= set(key_line_of(app).strip().split("  "))
        await press(pilot, "o")
        assert "step" not in key_line_of(app)
        await press(pilot, "escape", "home", "enter")
        assert "nothing to replay" in text_of(app)
        assert not {"step", "undo"} & set(key_line_of(app).split())


async def test_a_page_that_cannot_be_read_says_so_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from console.tui.screens.runs import RunPage

    def none_left(_: RunPage) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(RunPage, "read", none_left)
    app = app_on(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "R", "enter")
        text = " ".join(text_of(app).split())
    assert "This page cannot be read: Too many open files" in text
    assert "ulimit -n" in text
    assert "? reading" not in text
