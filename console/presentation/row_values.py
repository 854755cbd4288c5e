"""A value of JSON on lines: member by member, long texts folded, nothing obeyed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from console.presentation.spans import Line, Role, Span, line, wrap_text
from console.presentation.states import CATEGORIES
from pipeline.contracts.plurals import plural
from pipeline.contracts.untrusted import visible, visible_lines

FOLD_CHARACTERS = 240
MOST_CHARACTERS = 200_000
DEEPEST = 12
INDENT = 2
MOST_NAME_CELLS = 22


class Spelled(str):
    """A number as it is written: no float stands for it."""


def parsed(text: str | bytes, repeated: list[str] | None = None) -> Any:
    """The value; names that an object repeats go to ``repeated``. Raises ValueError and RecursionError."""
    found: list[str] = [] if repeated is None else repeated
    return json.loads(text, object_pairs_hook=lambda pairs: _members(pairs, found), parse_float=Spelled)


def _members(pairs: list[tuple[str, Any]], repeated: list[str]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                repeated.append(name)
            seen.add(name)
    return found


def name_cells(value: Mapping[str, Any]) -> int:
    """How wide the names of an object's members are shown."""
    return min(MOST_NAME_CELLS, max((len(visible(name)) for name in value), default=0))


def value_lines(value: Any, indent: int, width: int, depth: int, *, unfolded: bool) -> Iterator[Line]:
    """Lines of a container; scalars at the top stand alone."""
    if depth > DEEPEST:
        yield line(" " * indent, Span(f"… {type(value).__name__}, deeper than {DEEPEST} levels", "dim"))
    elif isinstance(value, dict):
        name_width = name_cells(value)
        for name, member in value.items():
            shown = Span(f"{visible(name, 60):<{name_width}}  ", "dim")
            yield from named_lines(shown, member, indent, width, depth, unfolded=unfolded)
    elif isinstance(value, list):
        for at, member in enumerate(value, start=1):
            shown = Span(f"{at:>3}  ", "dim")
            yield from named_lines(shown, member, indent, width, depth, unfolded=unfolded)
    else:
        yield from text_lines(_scalar(value), indent, _role(value), width, unfolded=unfolded)


def named_lines(
    name: Span, member: Any, indent: int, width: int, depth: int, *, unfolded: bool
) -> Iterator[Line]:
    start = " " * indent
    if isinstance(member, (dict, list)) and member:
        words = plural(len(member), "member" if isinstance(member, dict) else "item")
        yield line(start, name, Span(words, "dim"))
        yield from value_lines(member, indent + INDENT, width, depth + 1, unfolded=unfolded)
        return
    text = _scalar(member)
    used = indent + len(name.text)
    if len(text) <= width - used and "\n" not in text:
        yield line(start, name, Span(visible(text), _role(member)))
        return
    if used > width // 2:
        used = indent + INDENT
        yield line(start, name)
        yield from text_lines(text, used, _role(member), width, unfolded=unfolded)
        return
    first, *rest = text_lines(text, used, _role(member), width, unfolded=unfolded)
    yield line(start, name, *first[1:])
    yield from rest


def text_lines(text: str, indent: int, role: Role, width: int, *, unfolded: bool) -> list[Line]:
    """A text, wrapped; folded to its start unless asked whole. Each line begins with its indent."""
    limit = MOST_CHARACTERS if unfolded else FOLD_CHARACTERS
    shown, hidden = text[:limit], len(text) - limit
    room = max(10, width - indent - 1)
    parts: list[str] = []
    for part in visible_lines(shown) if unfolded else [visible(shown)]:
        parts += wrap_text(part, room)
    start = Span(" " * indent)
    lines = [line(start, Span(part, role)) if part else (start, Span("")) for part in parts]
    if hidden > 0:
        how = "cut" if unfolded else "+"
        lines.append(line(start, Span(f"{how} {plural(hidden, 'character')}", "key")))
    return lines


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return json.dumps(value)


def _role(value: Any) -> Role:
    if isinstance(value, str) and not isinstance(value, Spelled):
        return CATEGORIES.get(value, "text")
    return "dim" if value is None or isinstance(value, (dict, list)) else "accent"
