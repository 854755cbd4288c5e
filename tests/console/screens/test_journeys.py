"""What a person does with the keyboard, at the sizes that people have."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console import keymap
from console.state.view_state import FirewallSeen, StatusRead
from console.tui.screens.consent import ArmDialogue, ConsentDialogue
from console.tui.screens.dashboard import Dashboard
from console.tui.screens.help import HelpScreen
from console.tui.screens.log import LogScreen
from console.tui.screens.palette import PaletteDialogue
from console.tui.screens.runbook import SymptomScreen
from tests.console import states
from tests.console.apps import LEAN, StillApp, eyes_on, text_of

SMALL, WIDE = (80, 24), (120, 40)


def dashboard(app: StillApp) -> Dashboard:
    screen = app.screen
    assert isinstance(screen, Dashboard)
    return screen


# Looking


@pytest.mark.parametrize("size", [SMALL, WIDE, (200, 60)])
async def test_the_first_picture_is_whole(size: tuple[int, int]) -> None:
    app = StillApp(states.breach(), LEAN)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        text = text_of(app)
    for words in ("S1.P4.sft-leak", "X BREACH", "P9 release", "2,885", "No audit has been run", "READ-ONLY"):
        assert words in text


async def test_the_smallest_screen_still_tells_the_alarm() -> None:
    app = StillApp(states.breach(), LEAN)
    async with app.run_test(size=(20, 5)) as pilot:
        await pilot.pause()
        lines = [text.rstrip() for text in text_of(app).splitlines()]
    assert lines == [
        "X SFT BREACH 3 rows",
        "for 4m, live",
        "X S1.P4.sft-leak",
        "nobody works on it",
        "w fix  q quit",
    ]


async def test_a_resize_to_the_smallest_screen_and_back_keeps_the_place() -> None:
    app = StillApp(states.healthy(), LEAN)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("3")
        before = text_of(app)
        await pilot.resize_terminal(20, 5)
        await pilot.pause()
        assert "SFT CLEAR" in text_of(app)
        await pilot.resize_terminal(*WIDE)
        await pilot.pause()
        assert text_of(app) == before
        assert dashboard(app).focused_pane == "phases"


async def test_a_pane_goes_to_the_whole_screen_and_back() -> None:
    app = StillApp(states.healthy(), LEAN)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("2", "z")
        assert "taubench_airline" in text_of(app)
        assert "FIREWALL" not in text_of(app)
        await pilot.press("2")
        assert "FIREWALL" in text_of(app)


async def test_a_pane_that_a_small_screen_has_no_room_for_opens_whole() -> None:
    app = StillApp(states.healthy(), LEAN)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("5")
        assert "sft rows, 9 runs" in text_of(app)
        await pilot.press("z")
        assert dashboard(app).focused_pane == "firewall"


async def test_hjkl_are_arrows() -> None:
    app = StillApp(states.healthy(), LEAN)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("l")
        assert dashboard(app).focused_pane == "phases"
        await pilot.press("left", "2", "l")
        assert dashboard(app).focused_pane == "drift"


async def test_help_lists_every_key_of_the_place_it_was_asked_in() -> None:
    app = StillApp(states.healthy(), LEAN)
    async with app.run_test(size=(120, 70)) as pilot:
        await pilot.press("question_mark")
        assert isinstance(app.screen, HelpScreen)
        text = " ".join(text_of(app).split())
        for action in keymap.at("dashboard"):
            assert action.help in text
        await pilot.press("escape")
        assert isinstance(app.screen, Dashboard)


async def test_the_alarm_is_on_every_screen() -> None:
    app = StillApp(states.breach(), LEAN)
    async with app.run_test(size=SMALL) as pilot:
        for key in ("question_mark", "e", "w"):
            await pilot.press(key)
            await pilot.pause()
            assert "FIREWALL X BREACH" in text_of(app)
            await pilot.press("escape")


async def test_one_key_leads_from_the_alarm_to_what_to_do_by_hand() -> None:
    app = StillApp(states.breach(), LEAN)
    async with app.run_test(size=(120, 50)) as pilot:
        await pilot.press("b")
        assert isinstance(app.screen, SymptomScreen)
        await pilot.pause()
        text = text_of(app)
        assert "mv -n exports/sft/instruction_response.jsonl" in text
        await pilot.press("c")
        assert app.written == ["distill firewall -C /srv/agent-logs-prod --json"]


async def test_the_mark_stays_on_its_symptom_when_a_worse_one_arrives() -> None:
    mild = next(each for each in states.breach().answers if each.id == "S1.P5.summary")
    raised = states.answers(mild, replace(mild, id="S6.replay-log"))
    calm = states.seen(states.status(answers=raised), states.clear())
    app = StillApp(calm, LEAN)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("right_square_bracket")
        marked = dashboard(app).marked_symptom
        assert marked is not None
        app.take(FirewallSeen(states.breach().firewall))
        await pilot.pause()
        assert app.state.symptoms[0].id == "S1.P4.sft-leak"
        still = dashboard(app).marked_symptom
        assert still is not None
        assert still.id == marked.id == "S6.replay-log"


async def test_the_log_is_filtered_as_one_types_and_escape_clears_first() -> None:
    app = StillApp(states.healthy(), LEAN)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("slash", *"firewall")
        await pilot.pause()
        assert isinstance(app.screen, LogScreen)
        assert "firewall CLEAR" in text_of(app)
        assert "materialize finished" not in text_of(app)
        await pilot.press("enter", "escape")
        await pilot.pause()
        assert "materialize finished" in text_of(app)
        await pilot.press("escape")
        assert isinstance(app.screen, Dashboard)


async def test_quitting_ends_with_zero_and_says_before_that_it_stops_nothing() -> None:
    app = StillApp(states.running(), LEAN)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        assert "quitting stops nothing" in text_of(app)
        await pilot.press("q")
    assert app.return_code == 0


async def test_copying_takes_the_pane_without_its_frame() -> None:
    app = StillApp(states.healthy(), LEAN)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("4", "y")
    assert app.written == [" ? never  No audit has been run\n          here."]


async def test_the_command_is_copied_instead_of_run_in_read_only_too() -> None:
    app = StillApp(states.healthy(), LEAN)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("c")
    assert app.written == ["distill run-all -C '/srv/agent logs'"]
    assert app.fake_feed.carried_out == []


# Changing something


# What works on one screen alone; a wizard's answers have tests of their own (wizard/).
_THERE = {"incident.export": ("I",)}
_REACHED = [action for action in keymap.MUTATING if action.id != keymap.WIZARD_ANSWER]


@pytest.mark.parametrize("action", _REACHED, ids=lambda action: action.id)
@pytest.mark.parametrize("door", ["key", "palette"])
async def test_no_door_leads_to_a_change_in_read_only(action: keymap.Action, door: str) -> None:
    app = StillApp(states.running(), LEAN)
    app.fake_feed.has_run = action.id == "run.cancel"
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press(*_THERE.get(action.id, ()))
        await pilot.pause()
        there = app.screen
        if door == "key":
            await pilot.press(action.keys[0])
        else:
            await pilot.press("colon", *action.id.split(".")[1], "enter")
        await pilot.pause()
        assert app.screen is there
        assert "read-only" in app.notice
        await pilot.press("down", "enter")
    assert app.fake_feed.carried_out == []


async def test_a_run_starts_after_arming_a_preview_and_a_choice() -> None:
    app = StillApp(states.healthy(), LEAN)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("a")
        assert isinstance(app.screen, ArmDialogue)
        await eyes_on(pilot)
        await pilot.press(*"nightly", "enter")
        await pilot.pause()
        assert "OPERATE mara 15m left" in text_of(app)
        await pilot.press("s")
        await eyes_on(pilot)
        assert isinstance(app.screen, ConsentDialogue)
        assert "distill run-all -C '/srv/agent logs'" in text_of(app)
        await pilot.press("down", "enter")
        await app.workers.wait_for_complete()
        assert app.notice == "run.start done"
    assert [name for name, _ in app.fake_feed.carried_out] == ["run.start"]


@pytest.mark.parametrize("keys", [("enter",), ("escape",), ("down", "up", "enter"), ("s",), ("c",)])
async def test_consent_is_never_given_by_default(keys: tuple[str, ...]) -> None:
    app = StillApp(states.healthy(), LEAN, armed=True)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("s")
        await eyes_on(pilot)
        await pilot.press(*keys)
        await pilot.pause()
    assert app.fake_feed.carried_out == []


@pytest.mark.parametrize(
    ("keys", "agreed"),
    [
        (("enter",), False),
        (("down", "enter", "escape"), False),
        ((*"0000", "enter", "escape"), False),
        (("CODE", "escape"), False),
        (("CODE", "backspace", "enter", "escape"), False),
        (("CODE", "enter"), True),
        (("down", "CODE", "enter"), True),
        ((*"99", "backspace", "backspace", "CODE", "enter"), True),
        ((*"0000", "enter", "CODE", "enter"), True),
    ],
)
async def test_a_critical_change_wants_its_four_digits_typed(keys: tuple[str, ...], agreed: bool) -> None:
    app = StillApp(states.healthy(), LEAN, armed=True)
    app.fake_feed.is_critical = True
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("s")
        await eyes_on(pilot)
        assert isinstance(app.screen, ConsentDialogue)
        code = app.screen.consent.code
        assert f"Code  {code}  · Enter" in text_of(app)
        await pilot.press(*(key for name in keys for key in (code if name == "CODE" else (name,))))
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert not isinstance(app.screen, ConsentDialogue)
    assert [name for name, _ in app.fake_feed.carried_out] == (["run.start"] if agreed else [])


async def test_a_pasted_code_agrees_to_nothing() -> None:
    app = StillApp(states.healthy(), LEAN, armed=True)
    app.fake_feed.is_critical = True
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("s")
        await eyes_on(pilot)
        assert isinstance(app.screen, ConsentDialogue)
        from textual import events

        await pilot.press("down")
        app.post_message(events.Paste(app.screen.consent.code))
        await pilot.pause()
        assert app.screen.fields[0].text == ""
        await pilot.press("enter")
        await pilot.pause()
    assert app.fake_feed.carried_out == []


async def test_arming_ends_by_itself_and_says_so() -> None:
    app = StillApp(states.healthy(), LEAN, armed=True)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        app.monotonic_clock.seconds += 15 * 60
        app.flush()
        await pilot.pause()
        assert "READ-ONLY" in text_of(app)
        assert "15 minutes are over" in text_of(app)


async def test_the_palette_says_what_read_only_would_refuse() -> None:
    app = StillApp(states.healthy(), LEAN)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("ctrl+p", *"start")
        await pilot.pause()
        assert isinstance(app.screen, PaletteDialogue)
        assert "read-only" in text_of(app)


# The world changes


async def test_an_alarm_is_drawn_at_once_with_one_bell(monkeypatch: pytest.MonkeyPatch) -> None:
    app = StillApp(states.healthy(), LEAN)
    bells: list[int] = []
    monkeypatch.setattr(app, "bell", lambda: bells.append(1))
    async with app.run_test(size=SMALL) as pilot:
        for _ in range(3):
            app.take(FirewallSeen(states.breach().firewall))
        # No flush in between: the timer that would do it does not run here.
        assert "X BREACH" in text_of(app)
        await pilot.pause()
    assert bells == [1]


async def test_markup_in_data_is_text() -> None:
    hostile = states.status(name="[/red]\x1b[2J[bold]x[/bold]")
    app = StillApp(states.healthy(), LEAN)
    async with app.run_test(size=SMALL) as pilot:
        app.take(StatusRead(hostile))
        app.flush()
        await pilot.pause()
        # The name gives way to what is said of the tree, and its markup is text as far as it is shown.
        assert "[/red]\\x1b[2J[bold]" in text_of(app)


async def test_a_broken_feed_is_told_and_the_screen_lives_on() -> None:
    class Broken(StillApp):
        def _begin(self) -> None:
            self.run_worker(self._fail(), name="feed", exit_on_error=False)

        async def _fail(self) -> None:
            raise OSError("disk on fire")

    app = Broken(states.healthy(), LEAN)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        app.flush()
        assert "the console's own feed failed" in text_of(app)
        await pilot.press("question_mark")
        assert isinstance(app.screen, HelpScreen)


@pytest.mark.parametrize("width", [60, 72, 80, 100, 120])
async def test_the_key_of_the_help_is_shown_at_every_width(width: int) -> None:
    app = StillApp(states.breach(), LEAN, armed=True)
    async with app.run_test(size=(width, 24)) as pilot:
        for place in ((), ("z",), ("A",), ("e",)):
            await pilot.press(*place)
            await pilot.pause()
            assert "? help" in text_of(app).splitlines()[-1], place
            await pilot.press("escape")


async def test_escape_leads_back_from_a_zoomed_pane() -> None:
    app = StillApp(states.healthy(), LEAN)
    async with app.run_test(size=SMALL) as pilot:
        before = text_of(app)
        await pilot.press("z")
        assert dashboard(app).zoomed
        assert "esc back" in text_of(app).splitlines()[-1]
        await pilot.press("escape")
        assert not dashboard(app).zoomed
        assert text_of(app) == before
        await pilot.press("escape")
        assert dashboard(app) is app.screen
