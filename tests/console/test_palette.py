"""A few letters find the action that an operator means."""

from __future__ import annotations

import pytest

from console import keymap
from console.tui.screens.help import find


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("run", "run.start"),
        ("cancel", "run.cancel"),
        ("log", "log"),
        ("arm", "arm"),
        ("cpycmd", "copy.command"),
    ],
)
def test_a_part_of_a_name_finds_the_action(typed: str, first: str) -> None:
    assert find(typed, keymap.ACTIONS)[0].id == first


def test_nothing_typed_lists_everything_in_the_tables_order() -> None:
    assert find(" ", keymap.ACTIONS) == list(keymap.ACTIONS)


def test_what_means_nothing_finds_nothing() -> None:
    assert find("qqqqq", keymap.ACTIONS) == []
