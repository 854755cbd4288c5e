"""The wizard on the screen before anything is agreed to: reading writes nothing, and no key waits."""

from __future__ import annotations

import shlex
import threading
from pathlib import Path

import pytest

from console.control.armed import Armed, ReadOnlyError
from console.control.changes import Operations
from console.control.wizard_control import WizardControl
from console.control.wizard_view import READING, Choice, Deed
from console.keymap import BY_ID, WIZARD_ANSWER
from console.tui.screens import wizard_page
from console.tui.screens.consent import ConsentDialogue
from console.tui.screens.dashboard import Dashboard
from console.tui.screens.wizard import WizardScreen
from pipeline.reading.incidents import incident_ids
from runbook.change.incident import Incident
from tests.console import states
from tests.console.apps import ASCII, Clock, eyes_on, text_of
from tests.console.fake_feed import FakeFeed
from tests.console.screens.opened import app_on, press, settled
from tests.console.screens.wizard.steps import (
    SMALL,
    WIDE,
    consent_asked,
    disarm_at_consent,
    everything,
    standing,
    to_the_consent,
    wizard_open,
    words,
)
from tests.console.wizards import LEAKING, MILD, Worker, app_in, shown, use, wizard_on
from tests.runbook.workspaces import SFT
from tests.waiting import LIMIT_SECONDS, until


async def test_the_quarantine_stands_on_the_first_screen_before_any_diagnosis(
    root: Path, hand: Worker
) -> None:
    before = everything(root)
    async with wizard_open(root) as (_pilot, app, _):
        text = text_of(app)
    assert "Contain it now, or find the cause first?" in text
    assert f"rename  {SFT}" in text
    assert f"{SFT}.QUARANTINED-" in text
    assert "WHY" not in text
    assert "► Not now" in text
    assert everything(root) == before


async def test_looking_for_the_cause_in_read_only_names_it_and_writes_nothing(
    root: Path, hand: Worker
) -> None:
    before = everything(root)
    async with wizard_open(root, armed=False) as (pilot, app, _):
        await press(pilot, "down", "down", "enter")
        text = text_of(app)
    assert "somebody appended a row" in text
    assert "not recorded" in text
    assert "read-only: view only; a arms" in text
    assert everything(root) == before


async def test_where_nothing_has_to_be_contained_the_cause_is_looked_for_at_once(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, MILD)
    before = everything(root)
    async with wizard_open(root, armed=False) as (pilot, app, screen):
        await shown(pilot, screen, lambda: "somebody appended a row" in text_of(app))
        assert "What shall be done?" in text_of(app)
    assert everything(root) == before


@pytest.mark.parametrize("deed", [deed for deed in Deed if deed not in READING], ids=str)
async def test_every_deed_that_writes_is_refused_in_read_only(root: Path, hand: Worker, deed: Deed) -> None:
    async with consent_asked(root) as (pilot, app, screen):
        await disarm_at_consent(pilot, screen)
        before = everything(root)
        screen.take(Choice(deed, "", "back"))
        await settled(pilot)
        assert "read-only" in app.notice
        assert app.screen is screen
        assert hand.started == 0
    assert everything(root) == before


def test_a_permit_for_something_else_opens_no_incident(root: Path) -> None:
    clock = Clock()
    armed = Armed(clock)
    control = WizardControl(root, (LEAKING,), symptom_id=LEAKING.id)
    with pytest.raises(ReadOnlyError):
        Operations(armed, FakeFeed()).permit(WIZARD_ANSWER)
    armed.arm("a reason")
    control.look()
    with pytest.raises(ValueError, match=r"run\.start"):
        control.driver(armed.permit(BY_ID["run.start"]))
    assert incident_ids(root) == []


async def test_a_runbook_that_cannot_be_imported_is_told_in_three_lines(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object) -> WizardControl:
        raise SyntaxError("invalid syntax in s1_p4_sft_leak.py")

    monkeypatch.setattr(wizard_page, "open_control", broken)
    async with wizard_open(root) as (pilot, app, _):
        text = text_of(app)
        await press(pilot, "enter", "escape")
        assert isinstance(app.screen, Dashboard)
    assert "what happened  The runbook cannot be imported: SyntaxError" in text
    assert "kept safe      What the journal holds stands" in text
    assert "do next        b shows the commands to run by hand" in text


async def test_a_damaged_record_is_told_and_nothing_is_done_with_it(root: Path, hand: Worker) -> None:
    async with consent_asked(root) as (pilot, app, _):
        await press(pilot, "escape", "escape")
        incident = Incident(root, incident_ids(root)[0])
        journal = incident.journal.path
        journal.write_bytes(journal.read_bytes().replace(b"detected", b"resolved", 1))
        before = everything(root)
        await wizard_on(pilot, WizardScreen.reopen(incident.id))
        assert "was edited: its hash does not cover it" in words(app)
        await press(pilot, "down", "down", "enter", "enter")
        assert everything(root) == before


async def test_a_slow_detector_holds_up_no_key(
    root: Path, hand: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    going = threading.Event()
    look = WizardControl.look

    def slow(control: WizardControl) -> object:
        going.wait(LIMIT_SECONDS)
        return look(control)

    monkeypatch.setattr(WizardControl, "look", slow)
    app = app_in(root)
    async with app.run_test(size=SMALL) as pilot:
        app.push_screen(WizardScreen(LEAKING.id))
        await pilot.pause()
        assert "re-running the detector for 0s" in text_of(app)
        later = app.now() + 13
        monkeypatch.setattr(app, "now", lambda: later)
        app.draw()
        assert "re-running the detector for 13s · safe to leave" in text_of(app), "who waits sees since when"
        await pilot.press("escape")
        assert isinstance(app.screen, Dashboard)
        going.set()
        await settled(pilot)


async def test_a_slow_look_that_began_earlier_does_not_undo_what_was_seen_later(
    root: Path, hand: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    look, looks, going = WizardControl.look, [0], threading.Event()

    def slow(control: WizardControl) -> object:
        looks[0] += 1
        second, found = looks[0] == 2, look(control)
        if second:
            going.wait(LIMIT_SECONDS)
        return found

    monkeypatch.setattr(WizardControl, "look", slow)
    app = app_in(root)
    async with app.run_test(size=SMALL) as pilot:
        app.push_screen(screen := WizardScreen(LEAKING.id))
        await settled(pilot)
        screen.look_again()
        await pilot.press("down", "enter")
        await until(pilot, lambda: incident_ids(root) and standing(root).plan is not None, "the plan")
        going.set()
        await settled(pilot)
        assert isinstance(app.screen, ConsentDialogue)
        await eyes_on(pilot)
        await press(pilot, "escape")
        assert "Apply this plan?" in text_of(app)


async def test_one_key_leads_from_a_marked_symptom_to_its_wizard(root: Path, hand: Worker) -> None:
    app = app_on(root, state=states.breach())
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "w")
        assert isinstance(app.screen, WizardScreen)
        await press(pilot, "escape", "b", "w")
        assert isinstance(app.screen, WizardScreen)


async def test_hash_and_command_line_of_just_this_plan_are_copied(root: Path, hand: Worker) -> None:
    async with wizard_open(root) as (pilot, app, _):
        await press(pilot, "c")
        await to_the_consent(pilot, app)
        await press(pilot, "escape", "y", "c")
    plan = standing(root).plan
    assert plan is not None
    here = shlex.quote(str(root))
    assert app.written == [
        f"distill runbook open -C {here} {LEAKING.id}",
        plan.hash,
        f"distill runbook apply -C {here} --plan {plan.hash} --approve-as mara --reason WHY",
    ]


@pytest.mark.parametrize("size", [(20, 5), (40, 10), SMALL, WIDE, (200, 60)], ids=str)
async def test_it_can_be_read_at_any_size_and_in_ascii(
    root: Path, hand: Worker, size: tuple[int, int]
) -> None:
    app = app_on(root, ASCII)
    async with app.run_test(size=size) as pilot:
        await wizard_on(pilot)
        text = text_of(app)
        assert text.isascii()
        assert "Not now" in text
        await pilot.resize_terminal(20, 5)
        await pilot.resize_terminal(*size)
        await settled(pilot)
        assert text_of(app) == text


async def test_a_long_look_says_how_far_it_is_and_that_nobody_has_to_stay(
    root: Path, hand: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def slow(control: WizardControl) -> None:
        control._driver.workspace.tell("bisect: commit 3 of 7")
        go_on.wait(LIMIT_SECONDS)

    monkeypatch.setattr(WizardControl, "look_for_cause", slow)
    async with wizard_open(root, armed=False) as (pilot, app, screen):
        screen._look_deeper()

        def is_told() -> bool:
            screen.draw()
            return "bisect: commit 3 of 7 · running for" in " ".join(text_of(app).split())

        await until(pilot, is_told, "how far it is")
        assert "safe to leave with esc" in " ".join(text_of(app).split())
        go_on.set()
