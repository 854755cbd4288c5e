"""How a JSON text is bracketed, told without parsing it: it may be cut off, or nested without end."""

from __future__ import annotations

from typing import NamedTuple


class Brackets(NamedTuple):
    """``deepest``: how deep brackets stand in brackets. ``is_open``: one, or a quote, is not closed."""

    deepest: int
    is_open: bool


def brackets(text: str) -> Brackets:
    """Braces and brackets of ``text``, those inside of its quoted texts apart."""
    depth = deepest = 0
    in_text = escaped = False
    for character in text:
        if in_text:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                in_text = False
        elif character == '"':
            in_text = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return Brackets(deepest, in_text or depth > 0)
