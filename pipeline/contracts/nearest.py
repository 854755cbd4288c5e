"""What somebody most likely meant who wrote a word that is not known."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

# Of the letters of both words so many are shared: a slip of the finger, and no other word.
_SLIP = 0.6


def nearest(word: str, known: Collection[str]) -> str:
    """The closest known word; empty when none is close. Dashes of a flag are no likeness."""
    by_letters = {each.lstrip("-"): each for each in known}
    close = get_close_matches(word.lstrip("-"), list(by_letters), 1, _SLIP)
    return by_letters[close[0]] if close else ""


def nearest_of(word: str, known: Collection[str]) -> str:
    """A sentence that names the closest known word, or all of them when none is close."""
    close = nearest(word, known)
    return f'Nearest: "{close}".' if close else f"There is {', '.join(sorted(known)) or 'none'}."
