"""One table of actions: unambiguous, safe in multiplexers, and documented."""

from __future__ import annotations

from collections import Counter
from typing import get_args

import pytest

from console import keymap
from console.reading.key_settings import EATEN

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
    others = {"run.cancel", "incident.export", keymap.WIZARD_ANSWER}
    assert {action.id for action in keymap.MUTATING} == starts | others
    assert {action.group for action in keymap.MUTATING} == {"act"}


def test_the_dashboard_has_no_way_back_but_to_quit() -> None:
    assert "back" not in {action.id for action in keymap.at("dashboard")}
