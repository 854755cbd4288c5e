"""Which actions a few typed letters mean, best first. Pure; the screen only shows them."""

from __future__ import annotations

from collections.abc import Iterable

from console.keymap import Action


def score(wanted: str, action: Action) -> int | None:
    """How well ``wanted`` names the action, lower is better; None when it does not.

    A start of a word beats letters inside one, which beat letters in the right order.
    """
    typed = wanted.casefold().strip()
    if not typed:
        return 0
    name = action.id.replace(".", " ")
    haystack = f"{name} {action.help}".casefold()
    if name.startswith(typed):
        return 0
    if any(word.startswith(typed) for word in haystack.split()):
        return 1 + haystack.index(typed)
    if typed in haystack:
        return 1_000 + haystack.index(typed)
    return 10_000 if _in_order(typed, name) else None


def _in_order(typed: str, text: str) -> bool:
    letters = iter(text)
    return all(letter in letters for letter in typed if letter != " ")


def find(wanted: str, actions: Iterable[Action]) -> list[Action]:
    """The actions that ``wanted`` may mean; the table's order breaks ties."""
    scored = ((score(wanted, action), position, action) for position, action in enumerate(actions))
    found = [(value, position, action) for value, position, action in scored if value is not None]
    return [action for _, _, action in sorted(found, key=lambda item: item[:2])]
