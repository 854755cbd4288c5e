"""Every screen that can be asked for by its id exists, and every one of the key map is registered."""

from __future__ import annotations

import inspect
from importlib import import_module

import pytest

from console import keymap
from console.tui import screen_registry
from console.tui.screens.base import ConsoleScreen
from console.tui.screens.dialogue import Dialogue


@pytest.mark.parametrize("name", sorted(screen_registry.SCREENS))
def test_a_registered_screen_exists(name: str) -> None:
    module, kind, *_ = screen_registry.SCREENS[name].split(".")
    screen = getattr(import_module(f"console.tui.screens.{module}"), kind)
    assert inspect.isclass(screen)
    assert issubclass(screen, (ConsoleScreen, Dialogue))


def test_the_screens_of_the_key_map_are_those_of_the_registry() -> None:
    prefix = screen_registry.PREFIX
    asked_for = {action_id for action_id in keymap.BY_ID if action_id.startswith(prefix)}
    assert asked_for == {name for name in screen_registry.SCREENS if name.startswith(prefix)}
