r"""Patterns that look ahead or behind, as ones that do not: RE2 has no way to look without taking.

What is looked at on the outer edge of a pattern may as well be taken, where a group says what is
wanted: ``(?<=X)Y`` finds what the group of ``X(Y)`` finds, ``Y(?=X)`` what that of ``(Y)X`` finds.
One character that must not stand there is any other one, or the edge of the text. Elsewhere
nothing is rewritten, and the pattern is refused.
"""

from __future__ import annotations

import re

_BEHIND = re.compile(r"\(\?<([=!])")
_AHEAD = re.compile(r"\(\?([=!])")
_LOOKS = re.compile(r"\(\?<?[=!]")
_ONE_CHARACTER = re.compile(
    r"\[\^?\]?(?:\\.|[^\]\\\[])*\]\Z|\\[dDwWsSnrt]\Z|\\[^A-Za-z0-9]\Z|[^\\^$.|?*+(){}\[\]]\Z"
)
_CLASSES = {r"\d": r"\D", r"\D": r"\d", r"\w": r"\W", r"\W": r"\w", r"\s": r"\S", r"\S": r"\s"}


def without_looks(pattern: str) -> str | None:
    """The same search by a group, or None where the pattern looks elsewhere than on its edges."""
    rest, before, after = pattern, "", ""
    if (looks := _BEHIND.match(rest)) and (end := _closes(rest, 0)) is not None:
        taken = _taken(rest[looks.end() : end], looks[1], r"\A")
        if taken is None:
            return None
        before, rest = taken, rest[end + 1 :]
    start = _last_group(rest)
    if start is not None and (looks := _AHEAD.match(rest, start)):
        taken = _taken(rest[looks.end() : -1], looks[1], r"\Z")
        if taken is None:
            return None
        after, rest = taken, rest[:start]
    if not rest or not (before or after) or _LOOKS.search(rest) or _is_divided(rest):
        return None
    # A group of the pattern's own says already what is wanted.
    own = re.compile(rest).groups
    return f"{before}(?:{rest}){after}" if own else f"{before}({rest}){after}"


def _taken(looked_at: str, sign: str, edge: str) -> str | None:
    """What takes the text that is looked at, with no group in it; None where that would be another search."""
    if not looked_at or _LOOKS.search(looked_at) or re.compile(looked_at).groups:
        return None
    if sign == "=":
        return f"(?:{looked_at})"
    other = _other_than(looked_at)
    return None if other is None else f"(?:{edge}|{other})"


def _other_than(one: str) -> str | None:
    """The class of all other characters, where ``one`` is a single character or a class."""
    if not _ONE_CHARACTER.match(one):
        return None
    if one in _CLASSES:
        return _CLASSES[one]
    if one.startswith("[^"):
        return f"[{one[2:]}"
    return f"[^{one[1:]}" if one.startswith("[") else f"[^{one}]"


def _closes(pattern: str, start: int) -> int | None:
    """Where the group that opens at ``start`` closes."""
    depth, position = 0, start
    for position, character in _outside_of_classes(pattern, start):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0:
            return position
    return None


def _last_group(pattern: str) -> int | None:
    """Where the group that the pattern ends with opens."""
    open_at: list[int] = []
    closed: tuple[int, int] | None = None
    for position, character in _outside_of_classes(pattern, 0):
        if character == "(":
            open_at.append(position)
        elif character == ")" and open_at:
            closed = (open_at.pop(), position)
    return closed[0] if closed is not None and closed[1] == len(pattern) - 1 else None


def _is_divided(pattern: str) -> bool:
    """Whether a ``|`` stands outside of all groups: a look at the edge belonged to one branch alone."""
    depth = 0
    for _, character in _outside_of_classes(pattern, 0):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "|" and depth == 0:
            return True
    return False


def _outside_of_classes(pattern: str, start: int) -> list[tuple[int, str]]:
    """Position and character of what is neither escaped nor in a class."""
    found, position, in_class = [], start, False
    while position < len(pattern):
        character = pattern[position]
        if character == "\\":
            position += 2
            continue
        if in_class:
            in_class = character != "]"
        elif character == "[":
            in_class = True
            # A "]" that stands first is one of the class.
            position += 2 if pattern[position + 1 : position + 2] == "^" else 1
            if pattern[position : position + 1] != "]":
                continue
        else:
            found.append((position, character))
        position += 1
    return found
