"""The release screen: gates in their order, a tag command only while it is true."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from console.presentation.release import outdated, tag_command, void_reason
from console.reading.check_runs import CheckRun, release_reader
from console.state.view_state import ViewState
from console.tui.screens.release import GatePage, ReleaseScreen
from pipeline.contracts.status import FirewallWord, Freshness, GitStatus, Origin
from pipeline.release.freeze import tag_command as engine_tag_command
from tests.console import states
from tests.console.apps import text_of
from tests.console.check_reports import FREEZE, FREEZE_EVENTS, HEAD, events, freeze, gates
from tests.console.screens.opened import app_on, press, seen, settled
from tests.console.states import NOW
from tests.console.workspaces import write

CLEAN = GitStatus(True, "main", HEAD, False, "distillation-v1.0.0", HEAD)


def on_head() -> ViewState:
    return replace(states.healthy(), git=CLEAN)


def frozen(root: Path, **changes: Any) -> CheckRun:
    write(root, FREEZE, freeze(gates(), **changes))
    return release_reader(root).read()


async def test_a_passed_freeze_offers_the_tag_command(tmp_path: Path) -> None:
    frozen(tmp_path)
    app = app_on(tmp_path, state=on_head())
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "F", "c")
        text = text_of(app)
    assert "RELEASABLE  6 of 6 gates" in text
    assert app.written == [engine_tag_command("distillation-v1.0.1", HEAD)]


@pytest.mark.parametrize(
    ("git", "words"),
    [
        (replace(CLEAN, head="9" * 40), "HEAD has moved"),
        (replace(CLEAN, head=None), "HEAD is not known"),
        (replace(CLEAN, dirty=True), "not committed"),
    ],
)
def test_a_freeze_is_void_when_the_tree_is_another(tmp_path: Path, git: GitStatus, words: str) -> None:
    run = frozen(tmp_path)
    assert words in void_reason(run, git)
    assert tag_command(run, git) == ""


@pytest.mark.parametrize("tag", ["x; rm -rf ~", "$(id)", "-d", "a\nb", "\x1b[2J", ""])
def test_a_hostile_tag_gets_no_command(tmp_path: Path, tag: str) -> None:
    assert tag_command(frozen(tmp_path, tag=tag), CLEAN) == ""


def test_the_command_is_the_one_that_the_engine_prints(tmp_path: Path) -> None:
    command = tag_command(frozen(tmp_path), CLEAN)
    assert command == engine_tag_command("distillation-v1.0.1", HEAD)
    assert shlex.split(command)[-2:] == ["distillation-v1.0.1", HEAD]


async def test_a_failed_gate_says_why_and_nothing_can_be_tagged(tmp_path: Path) -> None:
    checks = gates(git_clean="fail")
    checks[0]["detail"] = "2 files are changed: README.md, x"
    write(tmp_path, FREEZE, freeze(checks))
    app = app_on(tmp_path, state=on_head())
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "F")
        text = text_of(app)
        assert "X NOT RELEASABLE   5 of 6 gates" in text
        assert "2 files are changed" in text
        assert "no command: no freeze has passed" in text
        await press(pilot, "enter")
        assert isinstance(app.screen, GatePage)


async def test_gates_are_shown_one_by_one_while_they_run(tmp_path: Path) -> None:
    frozen(tmp_path)
    app = app_on(tmp_path, state=on_head())
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "F")
        write(tmp_path, FREEZE_EVENTS, events("release-freeze", gates()[:2], host="db2"))
        assert isinstance(app.screen, ReleaseScreen)
        app.screen.look_again()
        await settled(pilot)
        text = text_of(app)
    assert "2 of 6 gates" in text
    assert text.count("pass  ") == 2
    assert text.count("· next") == 4
    assert "git tag" not in text


async def test_without_a_freeze_no_gate_is_green(tmp_path: Path) -> None:
    text = await seen(app_on(tmp_path), "F")
    assert text.count("? never") == 7
    assert "pass  " not in text


@pytest.mark.parametrize(
    ("finished", "firewall", "released", "words"),
    [
        (NOW - 240, FirewallWord.CLEAR, Origin(), ""),
        (NOW - 30 * 3600, FirewallWord.CLEAR, Origin(), "older than a day"),
        (NOW + 3600, FirewallWord.CLEAR, Origin(), "its time is in the future"),
        (NOW - 240, FirewallWord.BREACH, Origin(), "the firewall says BREACH"),
        (NOW - 240, FirewallWord.CLEAR, Origin("m", NOW - 240, Freshness.STALE, "x changed"), "x changed"),
    ],
)
def test_a_freeze_ends_with_what_it_looked_at(
    tmp_path: Path, finished: float, firewall: FirewallWord, released: Origin, words: str
) -> None:
    run = frozen(tmp_path, finished=finished)
    assert outdated(run, released, firewall, NOW) == words
    assert void_reason(run, CLEAN, words) == words
    assert bool(tag_command(run, CLEAN, words)) is not bool(words)


async def test_the_gates_of_an_old_freeze_are_not_shown_as_passed(tmp_path: Path) -> None:
    frozen(tmp_path, finished=NOW - 30 * 3600)
    app = app_on(tmp_path, state=on_head())
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "F", "c")
        text = text_of(app)
    assert text.count("~ stale") == 6
    assert "RELEASABLE" not in text
    assert "git tag" not in "".join(app.written)
