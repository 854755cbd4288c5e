"""The runbook's screen, by a person's keys."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from console.live.live_feed import LiveFeed
from console.state.runbook_state import RunbookReading, parse
from console.state.view_state import RunbookHeard
from console.tui.screens.runbook import RunbookScreen, SymptomScreen
from console.tui.screens.wizard import WizardScreen
from tests.console import runbook_states, states
from tests.console.apps import LEAN, LINK, StillApp, text_of
from tests.console.runbook_answers import answer, symptom
from tests.console.screens.opened import press, seen
from tests.waiting import LIMIT_SECONDS

SMALL = (80, 24)


async def test_what_shows_stands_first_with_what_it_explains_beneath_it() -> None:
    app = StillApp(runbook_states.detected(), LEAN)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "W")
        text = text_of(app)
        assert isinstance(app.screen, RunbookScreen)
        shown = ("S1.P4.sft-leak", "└ S2.drift", "S1.P1.schema", "└ S1.P5.summary")
        order = [text.index(name) for name in shown]
        assert order == sorted(order)
        assert order[-1] < text.index("UNKNOWN 1") < text.index("S1.P7.replay")
        assert "? unknown  S1.P7.replay" in text
        assert "~ stale    S1.P6.acceptance" in text
        assert app.screen.marked == "S1.P4.sft-leak"


async def test_what_changed_since_it_was_checked_is_stale_and_says_so() -> None:
    rows = [symptom("S1.P1.schema", stale="code or data changed since"), symptom("S1.P0.recon-doc")]
    state = runbook_states.heard(RunbookReading(parse(answer(*rows).encode()), states.NOW))
    app = StillApp(state, LEAN)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "W")
        text = text_of(app)
        assert text.index("STALE 1") < text.index("~ stale    S1.P1.schema") < text.index("CLEAR 1")
        await press(pilot, "enter")
        assert "code or data changed since" in text_of(app)
        assert "[ ] symptom" in text_of(app)


async def test_the_dashboard_names_the_keys_that_mark_another_symptom() -> None:
    assert "[ ] symptom" in await seen(StillApp(runbook_states.detected(), LEAN))
    assert "[ ]" not in await seen(StillApp(runbook_states.none(), LEAN))


async def test_enter_opens_the_page_and_one_key_the_wizard() -> None:
    app = StillApp(runbook_states.detected(), LEAN)
    async with app.run_test(size=(100, 60)) as pilot:
        await press(pilot, "W", "down", "down", "enter")
        assert isinstance(app.screen, SymptomScreen)
        text = text_of(app)
        for words in ("What you see", "Why it matters", "Possible causes", "By hand", "P0.recon-doc"):
            assert words in text
        await press(pilot, "right_square_bracket")
        assert app.screen.symptom_id == "S1.P5.summary"
        await press(pilot, "c")
        assert app.written == ["distill runbook -C /srv/agent-logs-prod open S1.P5.summary"]
        await press(pilot, "w")
        assert isinstance(app.screen, WizardScreen)


async def test_a_symptom_that_does_not_show_has_its_page_too() -> None:
    text = await seen(StillApp(runbook_states.none(), LEAN), "W", "down", "down", "enter")
    assert "clear" in text
    assert "S1.P4.sft-leak" in text
    assert "no longer see" not in text


async def test_a_page_says_when_its_symptom_is_gone() -> None:
    app = StillApp(runbook_states.detected(), LEAN)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "W", "end", "home", "down", "down", "enter")
        assert "S1.P1.schema" in text_of(app)
        calm = parse(answer(symptom("S1.P1.schema", "clear", as_of=states.NOW)).encode())
        app.take(RunbookHeard(RunbookReading(calm, states.NOW)))
        app.draw()
        assert "The detectors no longer see it." in text_of(app)


async def test_a_broken_runbook_is_three_lines_and_nothing_is_called_clear() -> None:
    text = await seen(StillApp(runbook_states.broken(), LEAN), "W", size=(100, 60))
    for words in ("what happened", "kept safe", "do next", "SyntaxError"):
        assert words in text
    assert " clear " not in text


async def test_before_anybody_looked_it_says_so_and_shows_what_stat_can_see() -> None:
    text = await seen(StillApp(states.breach(), LEAN), "W")
    assert "? never run" in text
    assert "S1.P4.sft-leak" in text


async def test_r_asks_the_detectors_again() -> None:
    app = StillApp(runbook_states.none(), LEAN)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "W", "r")
        assert app.fake_feed.refreshed == 1


async def test_a_list_that_changes_does_not_move_under_the_cursor() -> None:
    app = StillApp(runbook_states.none(), LEAN)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "W", "down", "down", "down")
        assert isinstance(app.screen, RunbookScreen)
        marked = app.screen.marked
        app.take(RunbookHeard(runbook_states.detected().runbook))
        app.draw()
        assert app.screen.marked == marked


@pytest.mark.parametrize("link", [LEAN, LINK], ids=["lean", "rich"])
async def test_hostile_words_of_a_detector_are_shown_and_not_obeyed(link: object) -> None:
    bad = "gone\x1b[2J\x9b31m [/x] \u202e"
    every = symptom(bad, "detected", observed=bad, title=bad, what_you_see=bad, why=bad, reproduce=bad)
    every["causes"] = [{"id": bad, "sentence": bad}]
    every["by_hand"] = [{"says": bad, "command": bad}]
    every["checks"] = every["phases"] = every["explained_by"] = [bad]
    state = runbook_states.heard(RunbookReading(parse(answer(every).encode()), states.NOW))
    app = StillApp(replace(state, symptoms=state.symptoms), link)  # type: ignore[arg-type]  # as LINK
    async with app.run_test(size=(120, 60)) as pilot:
        for names in (("W",), ("enter",)):
            await press(pilot, *names)
            text = text_of(app)
            assert "gone\\x1b[2J\\x9b31m [/x] \\u202e" in text
            assert not {"\x1b", "\x9b", "\u202e"} & set(text)


async def test_the_live_feed_brings_what_the_runbook_sees(tmp_path: Path) -> None:
    (tmp_path / "distill.toml").write_text("")
    feed = LiveFeed(tmp_path)
    async with asyncio.timeout(LIMIT_SECONDS), aclosing(feed.items()) as items:  # type: ignore[type-var]  # a generator
        async for item in items:
            if isinstance(item, RunbookHeard) and item.reading.read_at is not None:
                found = item.reading.symptom("S1.P0.recon-doc")
                assert found is not None
                assert found.is_detected
                break
