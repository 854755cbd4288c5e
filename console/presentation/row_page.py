"""One row on a page: its JSON laid out member by member, long texts folded, nothing obeyed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from console.presentation.counts import count
from console.presentation.spans import EMPTY, Line, Role, Span, cut, line, wrap_text
from console.presentation.states import CATEGORIES
from pipeline.contracts.untrusted import visible, visible_lines

FOLD_CHARACTERS = 240
MOST_CHARACTERS = 200_000
MOST_LINES = 5_000
_DEEPEST = 12
_INDENT = 2


def row_lines(raw: bytes, width: int, *, unfolded: bool) -> list[Line]:
    """The row laid out in ``width`` cells. What is no JSON is shown as the text that it is."""
    repeated: list[str] = []
    try:
        value = json.loads(raw, object_pairs_hook=lambda pairs: _members(pairs, repeated))
    except (ValueError, RecursionError) as error:
        reason = "too deep" if isinstance(error, RecursionError) else str(error)
        text = raw.decode("utf-8", "backslashreplace")
        head = [EMPTY, line(Span(f" ? this is no JSON: {visible(reason, 200)}", "warn")), EMPTY]
        return [*head, *_text(text, 1, "text", width, unfolded=unfolded)]
    lines = [EMPTY]
    if repeated:
        names = ", ".join(dict.fromkeys(visible(name, 60) for name in repeated))
        lines += [line(Span(f" X repeats a key: {names}; readers differ on which one counts", "fail")), EMPTY]
    for spans in _value(value, 1, width, 0, unfolded=unfolded):
        if len(lines) >= MOST_LINES:
            lines.append(line(Span(" … cut here; the whole row: distill lineage --bytes", "warn")))
            break
        lines.append(cut(spans, width))
    return lines


def _members(pairs: list[tuple[str, Any]], repeated: list[str]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                repeated.append(name)
            seen.add(name)
    return found


def _value(value: Any, indent: int, width: int, depth: int, *, unfolded: bool) -> Iterator[Line]:
    """Lines of a container; scalars at the top stand alone."""
    if depth > _DEEPEST:
        yield line(" " * indent, Span(f"… {type(value).__name__}, deeper than {_DEEPEST} levels", "dim"))
    elif isinstance(value, dict):
        name_width = min(22, max((len(visible(name)) for name in value), default=0))
        for name, member in value.items():
            shown = Span(f"{visible(name, 60):<{name_width}}  ", "dim")
            yield from _named(shown, member, indent, width, depth, unfolded=unfolded)
    elif isinstance(value, list):
        for at, member in enumerate(value, start=1):
            shown = Span(f"{at:>3}  ", "dim")
            yield from _named(shown, member, indent, width, depth, unfolded=unfolded)
    else:
        yield from _text(_scalar(value), indent, _role(value), width, unfolded=unfolded)


def _named(name: Span, member: Any, indent: int, width: int, depth: int, *, unfolded: bool) -> Iterator[Line]:
    start = " " * indent
    if isinstance(member, (dict, list)) and member:
        words = f"{count(len(member))} {'members' if isinstance(member, dict) else 'items'}"
        yield line(start, name, Span(words, "dim"))
        yield from _value(member, indent + _INDENT, width, depth + 1, unfolded=unfolded)
        return
    text = _scalar(member)
    used = indent + len(name.text)
    if len(text) <= width - used and "\n" not in text:
        yield line(start, name, Span(visible(text), _role(member)))
        return
    if used > width // 2:
        used = indent + _INDENT
        yield line(start, name)
        yield from _text(text, used, _role(member), width, unfolded=unfolded)
        return
    first, *rest = _text(text, used, _role(member), width, unfolded=unfolded)
    yield line(start, name, *first[1:])
    yield from rest


def _text(text: str, indent: int, role: Role, width: int, *, unfolded: bool) -> list[Line]:
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
        lines.append(line(start, Span(f"{how} {count(hidden)} characters", "key")))
    return lines


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return json.dumps(value)


def _role(value: Any) -> Role:
    if isinstance(value, str):
        return CATEGORIES.get(value, "text")
    return "dim" if value is None or isinstance(value, (dict, list)) else "accent"
