"""Words quoted for a shell so that neither the shell nor the terminal it is pasted into obeys them.

``shlex.quote`` leaves control characters as they are: pasted, an escape sequence or a newline acts
before any shell has read a quote. Here each of them is spelled, in ``$'…'``, which bash, zsh, ksh,
busybox and POSIX.1-2024 read back as the same bytes.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable

from pipeline.contracts.untrusted import visible


def quoted(word: str) -> str:
    """``word`` as one word of a command line; printable ones look as ``shlex.quote`` makes them."""
    if visible(word) == word:
        return shlex.quote(word)
    return f"$'{''.join(_spelled(character) for character in word)}'"


def joined(words: Iterable[str]) -> str:
    """A command line that a shell splits into just these words."""
    return " ".join(quoted(word) for word in words)


def _spelled(character: str) -> str:
    if character in "\\'":
        return f"\\{character}"
    if visible(character) == character:
        return character
    # A lone surrogate stands for a byte of a path that is no UTF-8; one that does not is no path.
    try:
        data = os.fsencode(character)
    except UnicodeEncodeError:
        data = character.encode("utf-8", "surrogatepass")
    return "".join(f"\\{byte:03o}" for byte in data)
