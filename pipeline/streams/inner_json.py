"""JSON that a log keeps inside a text, read as strictly as a line of its own.

A member that is given twice, a number past 64 bits, half of a surrogate pair or a nesting that no
row could hold is a skip with the reason that a line would have; what is no JSON is a wrong type.
"""

from __future__ import annotations

from typing import Any

from pipeline.storage.source_lines import parse_line
from pipeline.streams.misfit import MisfitError, wrong_type
from pipeline.streams.skips import LineFault, SkipReason

_NO_JSON = frozenset(
    (SkipReason.BLANK_LINE, SkipReason.INVALID_UTF8, SkipReason.NUL_BYTE, SkipReason.MALFORMED_JSON)
)


def parsed(text: str, expected: str = "JSON") -> Any:
    """The value of a JSON text, of any kind. Raises MisfitError, which says what was ``expected``."""
    # As the one member of an object: what reads lines reads objects, and knows every trap.
    line = parse_line(b'{"json":%s}' % text.encode())
    if isinstance(line, LineFault):
        if line.reason in _NO_JSON:
            raise MisfitError(SkipReason.WRONG_TYPE, f"expected {expected}, found another text")
        raise MisfitError(line.reason, f"JSON in a text: {line.detail}")
    if len(line) > 1:
        # The text closed the member and began another: no JSON by itself.
        raise MisfitError(SkipReason.WRONG_TYPE, f"expected {expected}, found another text")
    return line["json"]


def unpacked(value: Any, expected: str = "JSON") -> Any:
    """The value of a JSON text, and any other value as it is. Raises MisfitError."""
    return parsed(value, expected) if type(value) is str else value


def turns_of(value: Any) -> list[Any]:
    """The turns of a conversation, a list or JSON text of one. Raises MisfitError."""
    turns = unpacked(value, "a list of turns, or its JSON")
    if type(turns) is not list:
        raise wrong_type("a list of turns", turns)
    return turns


def further_turns(value: Any) -> list[Any]:
    """The turns that stand beside a conversation: a list, one alone, or JSON text of either."""
    turns = unpacked(value, "turns, or their JSON")
    return turns if type(turns) is list else [turns]
