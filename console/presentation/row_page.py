"""One row on a page: its JSON laid out member by member, long texts folded, nothing obeyed; and its lineage.

A lineage goes from the export down to the bytes, with a break drawn where two links disagree.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from console.presentation.counts import count
from console.presentation.spans import EMPTY, Line, Role, Span, cut, line, wrap_text
from console.presentation.states import CATEGORIES, Look
from pipeline.contracts.untrusted import visible, visible_lines

if TYPE_CHECKING:
    from console.reading.lineage_query import Lineage, Link, State


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


LINKS: dict[State, Look] = {
    "ok": Look(" ", "ok", "ok"),
    "break": Look("X", "X", "fail"),
    "missing": Look("X", "X", "fail"),
    "unchecked": Look("?", "?", "warn"),
    "gone": Look("?", "?", "warn"),
    "note": Look(" ", "", "dim"),
}
_WHAT = 10


def verdict_line(lineage: Lineage) -> Line:
    """Whether the chain holds, in words."""
    breaks = sum(len(link.breaks) or link.state in ("break", "missing") for link in lineage.links)
    if lineage.trouble:
        return line(Span(" ? no chain", "warn"))
    if lineage.ok:
        return line(Span("   whole", "ok"), "  every link that can be checked agrees with the next")
    words = "break" if breaks == 1 else "breaks"
    return line(" ", Span(f" X {breaks} {words} ", "badge"), "  two links do not agree")


def link_lines(link: Link, width: int, *, first: bool) -> list[Line]:
    """A link on one or more lines, what it does not agree on above it. The first cell is free."""
    lines: list[Line] = []
    if link.what not in ("elsewhere", "run", "chosen", "rejected") and not first:
        lines += [line(Span("   │", "border"))] if not link.breaks else []
    for sentence in link.breaks:
        for at, part in enumerate(wrap_text(visible(sentence), width - 10)):
            lines.append(line(Span(f"   {'╳' if at == 0 else ' '} ", "fail"), Span(part, "fail")))  # noqa: RUF001 (the mark of a break)
    return lines


def link_line(link: Link) -> Line:
    """The line that can be marked and opened."""
    look = LINKS[link.state]
    role: Role = "dim" if link.what == "elsewhere" else "text"
    if link.state == "note" and not link.file:
        return line(
            " ", Span(f"   {link.what:<{_WHAT}}", "title"), Span(visible(" ".join(link.words)), "strong")
        )
    place = visible(link.file) + (f":{link.line}" if link.line is not None else "")
    return line(
        " ",
        Span(f"{look.word:<2} ", look.role),
        Span(f"{link.what:<{_WHAT}}", role),
        Span(place or "missing", role if place else "fail"),
    )


def word_lines(link: Link, width: int) -> list[Line]:
    """What a link says of itself, under it."""
    if link.state == "note" and not link.file:
        return []
    text = " · ".join(visible(word, 300) for word in link.words)
    indent = 4 + _WHAT
    return [line(Span(f"{'':{indent}}{part}", "dim")) for part in wrap_text(text, width - indent - 1) if part]
