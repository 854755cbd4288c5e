"""What somebody most likely meant who wrote a word that is not known."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches


def nearest(word: str, known: Collection[str]) -> str:
    """The closest known word; empty when none is close."""
    return next(iter(get_close_matches(word, list(known), 1, 0.5)), "")


def nearest_of(word: str, known: Collection[str]) -> str:
    """A sentence that names the closest known word, or all of them when none is close."""
    close = nearest(word, known)
    return f'Nearest: "{close}".' if close else f"There is {', '.join(sorted(known)) or 'none'}."
