"""One table of actions: unambiguous, safe in multiplexers, found by a few letters; and keys of one's own."""

from __future__ import annotations

import select
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from console import keymap
from console.reading.key_settings import EATEN, choose, read_keys
from console.tui.screens.help import HelpScreen
from console.tui.screens.runbook import SymptomScreen
from tests.console import states
from tests.console.apps import LEAN, StillApp
from tests.console.screens.opened import settled
from tests.console.terminals import ARGV, Terminal, drawn, environment
from tests.console.workspaces import workspace_after_a_run

PLACES = get_args(keymap.Place)


def test_ids_are_unique() -> None:
    assert len(keymap.BY_ID) == len(keymap.ACTIONS)


@pytest.mark.parametrize("place", PLACES)
def test_no_key_means_two_things_in_one_place(place: keymap.Place) -> None:
    keys = Counter(key for action in keymap.at(place) for key in action.keys)
    assert [key for key, times in keys.items() if times > 1] == []


def test_a_key_means_the_same_everywhere_but_for_enter() -> None:
    meanings: dict[str, set[str]] = {}
    for action in keymap.ACTIONS:
        for key in action.keys:
            meanings.setdefault(key, set()).add(action.id)
    assert {key: ids for key, ids in meanings.items() if len(ids) > 1} == {
        "enter": {"open", "choose", keymap.WIZARD_ANSWER}
    }


def test_a_key_that_terminals_eat_is_never_the_only_way() -> None:
    assert [action.id for action in keymap.ACTIONS if set(action.keys) <= EATEN] == []
    assert not any(key.startswith("alt+") for action in keymap.ACTIONS for key in action.keys)


def test_every_action_belongs_to_a_group_and_ends_its_sentence() -> None:
    assert all(action.group in keymap.GROUPS for action in keymap.ACTIONS)
    assert all(action.help.endswith(".") for action in keymap.ACTIONS)


def test_what_changes_something_is_listed_as_such() -> None:
    starts = {f"{name}.start" for name in ("run", "audit", "acceptance", "release")}
    others = {"run.cancel", "incident.export", "engine.trust", keymap.WIZARD_ANSWER}
    assert {action.id for action in keymap.MUTATING} == starts | others
    assert {action.group for action in keymap.MUTATING} == {"act"}


def test_brackets_are_named_only_where_there_is_one_beside() -> None:
    brackets = {"symptom.previous", "symptom.next"}
    named = {place for place in PLACES if brackets <= {action.id for action in keymap.at(place)}}
    assert named == {"dashboard", "symptom", "incident", *keymap.MARKED}


# Keys of one's own


def test_what_changes_something_is_known_by_its_new_key_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its hint is left out of the key line while nothing may be changed."""
    for name in ("ACTIONS", "MUTATING"):
        monkeypatch.setattr(keymap, name, getattr(keymap, name))
    monkeypatch.setattr(keymap, "BY_ID", dict(keymap.BY_ID))
    keymap.configure({"run.start": ("f9",)})
    (start,) = [action for action in keymap.MUTATING if action.id == "run.start"]
    assert start.keys == ("f9",)
    assert start is keymap.BY_ID["run.start"]
    assert set(keymap.MUTATING) <= set(keymap.ACTIONS)


def test_a_key_is_written_as_it_is_read() -> None:
    choice = choose({"help": ["?", "f2"], "quit": "Q"})
    assert choice.faults == ()
    assert choice.keys == {"help": ("question_mark", "f2"), "quit": ("Q",)}


def test_two_actions_may_swap_their_keys() -> None:
    assert choose({"zoom": ["e"], "log": ["z"]}).faults == ()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"run.strat": ["s"]}, "there is no action run.strat. Nearest: run.start."),
        ({"run.start": ["q"]}, "q would mean both run.start and quit"),
        ({"run.start": []}, "run.start has a value that is not a key"),
        ({"run.start": ["alt+s"]}, "run.start has a value that is not a key"),
        ({"run.start": 5}, "run.start has a value that is not a key"),
        ({"run.start": ["\x1b[2J"]}, "run.start has a value that is not a key"),
        ({"quit": ["ctrl+q"]}, "quit has only keys that terminals keep"),
    ],
)
def test_with_one_mistake_all_keys_stay(given: dict[str, object], words: str) -> None:
    choice = choose({"help": ["f2"], **given})
    assert choice.keys == {}
    assert words in " ".join(fault.what_happened for fault in choice.faults)


@pytest.mark.parametrize("text", ["", "not toml [", "[console]\nkeys = 5\n", "console = []\n"])
def test_garbage_gives_no_keys_and_no_exception(tmp_path: Path, text: str) -> None:
    (tmp_path / "distill.toml").write_text(text)
    assert read_keys(tmp_path).keys == {}


def test_the_console_obeys_the_keys_of_its_workspace(tmp_path: Path) -> None:
    (tmp_path / "distill.toml").write_text(
        '[workspace]\nname = "night"\n[console]\nkeys = { "quit" = ["Q"], "how_to_quit" = ["q"] }\n'
    )
    with Terminal([*ARGV, "-C", str(tmp_path)], environment()) as terminal:
        terminal.read_until(drawn, "the dashboard")
        terminal.send(b"q")
        terminal.read_until(lambda written: b"Q quits" in written, "how to quit")
        terminal.send(b"?")
        terminal.read_until(lambda written: b"Fix the marked symptom" in written, "the help")
        terminal.send(b"Q")
        assert terminal.wait() == 0


def test_a_clash_is_told_and_the_old_keys_work(tmp_path: Path) -> None:
    (tmp_path / "distill.toml").write_text(
        '[workspace]\nname = "night"\n[console]\nkeys = { "help" = ["q"] }\n'
    )
    with Terminal([*ARGV, "-C", str(tmp_path)], environment(), size=(120, 40)) as terminal:
        terminal.read_until(drawn, "the dashboard")
        for part in (b"what happened", b"kept safe", b"do next", b"q would mean both help and quit"):
            assert part in terminal.written
        terminal.send(b"q")
        assert terminal.wait() == 0


def test_the_table_itself_was_not_changed_by_looking() -> None:
    before = keymap.ACTIONS
    choose({"quit": ["Q"]})
    assert keymap.ACTIONS is before


# Keys that come early


@pytest.mark.parametrize("seconds", [0.0, 0.3])
def test_keys_that_are_typed_before_the_first_paint_do_what_they_do(tmp_path: Path, seconds: float) -> None:
    """Runs, and enter on the first of them: nothing is marked there before the workspace was read."""
    root = workspace_after_a_run(tmp_path / "night")
    with Terminal([*ARGV, "-C", str(root)], environment()) as terminal:
        select.select([], [], [], seconds)
        terminal.send(b"R\r")
        terminal.read_until(lambda written: b"run_hash" in written and b"COUNTS" in written, "the run")
        terminal.send(b"q")
        assert terminal.wait() == 0


async def test_a_key_waits_for_the_first_reading_and_keeps_its_place() -> None:
    state = replace(states.breach(), heard_at=None)
    app = StillApp(state, LEAN)
    app._begin = lambda: None  # type: ignore[method-assign]  # nothing was read yet
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("question_mark", "escape", "b")
        assert isinstance(app.screen, HelpScreen), "help needs no reading; what follows waits"
        app.state = states.breach()
        app._keys.release()
        await settled(pilot)
        assert isinstance(app.screen, SymptomScreen)


async def test_quitting_waits_for_nothing() -> None:
    app = StillApp(replace(states.breach(), heard_at=None), LEAN)
    app._begin = lambda: None  # type: ignore[method-assign]  # nothing was read yet
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("b", "q")
        await pilot.pause()
    assert app.return_code == 0
