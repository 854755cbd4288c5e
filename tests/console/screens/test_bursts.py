"""Keys that arrive in one packet: over a slow link, from a fast hand, from a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from console.tui.screens.consent import ArmDialogue, ConsentDialogue, TakeOverDialogue
from console.tui.screens.dashboard import Dashboard
from console.tui.screens.log import LogScreen
from console.tui.screens.palette import PaletteDialogue
from console.tui.screens.typed_dialogue import NOWHERE
from pipeline.platform.lock import Holder
from tests.console import states
from tests.console.apps import LEAN, StillApp, eyes_on, text_of

if TYPE_CHECKING:
    from textual.pilot import Pilot

SMALL = (80, 24)


async def burst(pilot: Pilot[int], *keys: str) -> None:
    """All keys before the app has seen the first; returns when the last has done what it does."""
    from textual import events

    app = pilot.app
    assert isinstance(app, StillApp)
    for key in keys:
        app.post_message(events.Key(key, key if len(key) == 1 else None))
    while app.message_queue_size or app.keys_waiting:
        await pilot.pause()
    await pilot.pause()
    assert not app.keys_waiting


async def test_a_second_enter_behind_the_reason_arms_once_and_opens_nothing() -> None:
    app = StillApp(states.healthy(), LEAN)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("a")
        await eyes_on(pilot)
        await burst(pilot, *"nightly", "enter", "enter", "q")
        assert app.armed.is_armed
        assert isinstance(app.screen, Dashboard)
        assert "OPERATE" in text_of(app)


async def test_a_second_enter_behind_a_consent_carries_out_once() -> None:
    app = StillApp(states.healthy(), LEAN, armed=True)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("s")
        await eyes_on(pilot)
        assert isinstance(app.screen, ConsentDialogue)
        await burst(pilot, "down", "enter", "enter", "enter")
        await app.workers.wait_for_complete()
        assert isinstance(app.screen, Dashboard)
    assert [name for name, _ in app.fake_feed.carried_out] == ["run.start"]


async def test_a_question_and_its_answer_in_one_burst_change_nothing() -> None:
    app = StillApp(states.healthy(), LEAN, armed=True)
    async with app.run_test(size=SMALL) as pilot:
        await burst(pilot, "s", "down", "enter", "down", "enter")
        assert isinstance(app.screen, ConsentDialogue)
    assert app.fake_feed.carried_out == []


async def test_keys_typed_ahead_of_the_question_are_dropped() -> None:
    app = StillApp(states.healthy(), LEAN, armed=True)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("s", "down", "enter")
        await pilot.pause()
        assert isinstance(app.screen, ConsentDialogue)
        assert app.screen.at == NOWHERE
    assert app.fake_feed.carried_out == []


async def test_a_reason_typed_ahead_is_kept_and_its_enter_does_not_arm() -> None:
    app = StillApp(states.healthy(), LEAN)
    async with app.run_test(size=SMALL) as pilot:
        await burst(pilot, "a", *"drill", "enter")
        assert isinstance(app.screen, ArmDialogue)
        assert app.screen.fields[0].text == "drill"
        assert not app.armed.is_armed
        await eyes_on(pilot)
        await pilot.press("enter")
        await pilot.pause()
        assert app.armed.is_armed


async def test_the_word_that_takes_over_is_read_once() -> None:
    app = StillApp(states.healthy(), LEAN)
    answers: list[bool | None] = []
    async with app.run_test(size=SMALL) as pilot:
        app.push_screen(TakeOverDialogue(Holder("mara", "db1", 4711)), answers.append)
        await eyes_on(pilot)
        await burst(pilot, *"no", "enter", "enter")
        assert isinstance(app.screen, Dashboard)
    assert answers == [False]


async def test_what_is_typed_behind_the_colon_reaches_the_palette() -> None:
    app = StillApp(states.healthy(), LEAN)
    async with app.run_test(size=SMALL) as pilot:
        await burst(pilot, "colon", *"quit")
        assert isinstance(app.screen, PaletteDialogue)
        assert [action.id for action in app.screen.found][:1] == ["quit"]


async def test_a_palette_that_is_answered_in_the_burst_acts_once() -> None:
    app = StillApp(states.healthy(), LEAN)
    async with app.run_test(size=SMALL) as pilot:
        await burst(pilot, "colon", *"log", "enter")
        assert isinstance(app.screen, LogScreen)


async def test_two_escapes_go_back_twice() -> None:
    app = StillApp(states.healthy(), LEAN)
    async with app.run_test(size=SMALL) as pilot:
        await burst(pilot, "e", "question_mark")
        assert len(app.screen_stack) == 3
        await burst(pilot, "escape", "escape")
        assert isinstance(app.screen, Dashboard)


async def test_a_filter_takes_what_is_typed_behind_its_key() -> None:
    """Its letters are no commands: q in the word would have quit."""
    app = StillApp(states.healthy(), LEAN)
    async with app.run_test(size=SMALL) as pilot:
        await burst(pilot, "slash", *"quiet", "enter")
        assert isinstance(app.screen, LogScreen)
        assert app.screen.trail() == ("Log", "/quiet")


@pytest.mark.parametrize("keys", [("a", "enter", "enter"), ("a", "escape", "escape"), ("a", "a", "a")])
async def test_a_dialogue_that_was_not_seen_takes_nothing(keys: tuple[str, ...]) -> None:
    app = StillApp(states.healthy(), LEAN)
    async with app.run_test(size=SMALL) as pilot:
        await burst(pilot, *keys)
        assert isinstance(app.screen, ArmDialogue)
        assert not app.armed.is_armed


@pytest.mark.parametrize(
    ("typed", "place", "said"),
    [
        ("leak", "symptom", "S1.P4.sft-leak"),
        ("runs", "runs", "Runs"),
        ("skips.jsonl", "dashboard", "cannot be opened"),
    ],
)
async def test_whatever_there_is_to_show_is_one_colon_away(typed: str, place: str, said: str) -> None:
    app = StillApp(states.breach(), LEAN)
    async with app.run_test(size=SMALL) as pilot:
        await burst(pilot, "colon", *typed, "enter")
        await pilot.pause()
        assert getattr(app.screen, "place", None) == place
        assert said in text_of(app)
