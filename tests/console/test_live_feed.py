"""The whole way on a real workspace: keys, a real process, its events, the screen; and work beside it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import pytest

from console.control import jobs
from console.live.daemon_work import in_thread
from console.live.live_feed import LONGEST_PAUSE_SECONDS, LiveFeed, pause_after
from console.state.view_state import ReadFailed, Session, StatusRead, ViewState, initial
from console.tui.app import ConsoleApp
from console.tui.screens.consent import ConsentDialogue
from tests.console.apps import LEAN, Clock, text_of
from tests.console.fake_engine import RELEASE
from tests.waiting import LIMIT_SECONDS, until

REPOSITORY = Path(__file__).parents[2]
STREAMS = REPOSITORY / "fixtures/event_streams"


def replay(monkeypatch: pytest.MonkeyPatch, stream: str, exit_code: int) -> None:
    """Let every engine command be one that replays ``stream``."""
    engine = [
        sys.executable,
        str(REPOSITORY / "tests/console/fake_engine.py"),
        str(STREAMS / stream),
        str(exit_code),
    ]

    def fake_argv(arguments: Sequence[str]) -> list[str]:
        return [*engine, *arguments]

    monkeypatch.setattr(jobs, "engine_argv", fake_argv)


def console_on(root: Path) -> tuple[ConsoleApp, Clock]:
    clock = Clock()
    app = ConsoleApp(
        initial(str(root), Session(profile="lean", link="ssh", actor="mara")),
        LiveFeed(root),
        LEAN,
        monotonic=clock,
        operate_because="a test",
    )
    return app, clock


@dataclass
class Seen:
    """What the screen showed while the run was under way, and what is known after its end."""

    under_way: str
    after: str
    state: ViewState


async def follow_a_run(root: Path, is_under_way: Callable[[ViewState], bool]) -> Seen:
    """Press the keys that start a run, look at it, let it end, and look again."""
    app, clock = console_on(root)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.state.heard_at is not None, "the workspace was read")
        await pilot.press("s")
        await pilot.pause()
        clock.seconds += 1
        assert isinstance(app.screen, ConsentDialogue)
        await pilot.press("down", "enter")
        await until(pilot, lambda: is_under_way(app.state), "the run under way")
        app.draw()
        under_way = text_of(app)
        (root / RELEASE).touch()
        await until(pilot, lambda: app.state.run is not None and app.state.run.ended, "the end of the run")
        app.draw()
        return Seen(under_way, text_of(app), app.state)


def has_counted(state: ViewState) -> bool:
    return bool(state.rows.live and state.rows.total.evidence)


async def test_a_run_started_here_is_followed_to_its_end(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replay(monkeypatch, "run_all.jsonl", 0)
    seen = await follow_a_run(root, lambda state: state.rows.total.evidence == 143)
    assert "» counting" in seen.under_way
    assert "taubench_airline" in seen.under_way
    run = seen.state.run
    assert run is not None
    assert (run.ours, run.ok, run.exit_code) == (True, True, 0)


async def test_an_engine_that_dies_is_not_called_done(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replay(monkeypatch, "killed.jsonl", 9)
    seen = await follow_a_run(root, has_counted)
    assert seen.state.run is not None
    assert (seen.state.run.ok, seen.state.run.exit_code) == (False, 9)
    assert seen.state.log[-1].text == "run-all ended without a last event, exit code 9"


async def test_hostile_events_stay_text(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replay(monkeypatch, "hostile.jsonl", 3)
    seen = await follow_a_run(root, has_counted)
    shown = (seen.under_way + seen.after).replace("\n", "")
    assert shown.isprintable()
    assert "[/red]\\x1b[31m" in shown
    assert any("[bold]markup[/bold]" in entry.text for entry in seen.state.log)


def test_a_busy_machine_that_holds_a_reading_up_makes_nobody_blind() -> None:
    assert pause_after(0.016, 0.016) == pytest.approx(0.32), "a twentieth of a core"
    assert pause_after(0.016, 0.2) == pytest.approx(0.32), (
        "the machine was busy, the reading is as short as ever"
    )
    assert pause_after(0.016, 2.0) == 2.0, "a slow disk is not read all the time"
    assert pause_after(1.0, 1.0) == LONGEST_PAUSE_SECONDS


async def test_a_workspace_that_goes_away_is_told_and_comes_back(tmp_path: Path) -> None:
    root = tmp_path / "ws"
    feed = LiveFeed(root)
    seen: list[str] = []
    # Closed whatever happens: what it started must end with it.
    async with asyncio.timeout(LIMIT_SECONDS), aclosing(feed.items()) as items:  # type: ignore[type-var]  # a generator
        async for item in items:
            seen.append(type(item).__name__)
            if isinstance(item, ReadFailed):
                assert "removed" in item.reason
                root.mkdir()
                await feed.refresh()
            elif isinstance(item, StatusRead):
                break
    assert seen[0] == "ReadFailed"


async def test_there_is_nothing_to_cancel_without_a_run(root: Path) -> None:
    feed = LiveFeed(root)
    assert feed.plan("run.cancel") is None
    plan = feed.plan("run.start")
    assert plan is not None
    assert plan.command == ("distill", "run-all", "-C", str(root))


# Work beside the screen

_PROGRAM = """
import asyncio, time
from console.live.daemon_work import in_thread

async def main():
    try:
        await asyncio.wait_for(in_thread(lambda: time.sleep(600)), 0.1)
    except TimeoutError:
        print("left")

asyncio.run(main())
"""


async def test_a_result_and_an_error_arrive() -> None:
    assert await in_thread(lambda: 6 * 7) == 42
    with pytest.raises(ZeroDivisionError):
        await in_thread(lambda: 1 / 0)


def test_work_that_does_not_end_keeps_no_program_from_ending() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout == "left\n"
