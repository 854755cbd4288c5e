"""A draft as TOML: values whose texts come from data, and comments that quote data.

Whatever a text holds, what is written is one line, valid TOML, and harmless on a terminal.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from pipeline.contracts.untrusted import visible

_BARE = re.compile(r"[A-Za-z0-9_-]+\Z")
_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
COMMENT_LIMIT = 150
_SHORT = 30


def value(anything: Any) -> str:
    """``anything`` on one line: a text, a number, true or false, a list or an inline table of these."""
    match anything:
        case bool():
            return "true" if anything else "false"
        case str():
            return text(anything)
        case list() | tuple():
            return f"[{', '.join(value(item) for item in anything)}]"
        case Mapping():
            inner = ", ".join(f"{key(name)} = {value(item)}" for name, item in anything.items())
            return f"{{ {inner} }}"
        case _:
            return repr(anything)


def text(words: str) -> str:
    """A text between quotes, hidden characters escaped. Patterns stand between single ones, as they are."""
    if "\\" in words and "'" not in words and words.isascii() and words.isprintable():
        return f"'{words}'"
    return '"' + "".join(_escaped(character) for character in words) + '"'


def key(name: str) -> str:
    return name if _BARE.match(name) else text(name)


def comment(words: str, limit: int | None = COMMENT_LIMIT) -> str:
    return f"# {visible(words, limit)}"


def short(anything: Any) -> str:
    """A value of the log, as short as a sample should be."""
    if isinstance(anything, str):
        return f'"{visible(anything, _SHORT)}"'
    return visible(str(anything).lower() if isinstance(anything, bool) else str(anything), _SHORT)


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if unicodedata.category(character) not in _HIDDEN:
        return character
    code = ord(character)
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"
