"""One row on a page: its JSON laid out member by member, long texts folded, nothing obeyed; and its lineage.

A lineage goes from the export down to the bytes, with a break drawn where two links disagree.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from console.presentation import row_turns
from console.presentation.counts import count
from console.presentation.row_values import name_cells, named_lines, parsed, text_lines, value_lines
from console.presentation.spans import EMPTY, Line, Role, Span, cut, line, wrap_text
from console.presentation.states import Look
from pipeline.contracts.untrusted import visible

if TYPE_CHECKING:
    from console.reading.lineage_query import Lineage, Link, State


MOST_LINES = 5_000


def row_lines(raw: bytes, width: int, *, unfolded: bool) -> list[Line]:
    """The row laid out in ``width`` cells. What is no JSON is shown as the text that it is."""
    repeated: list[str] = []
    try:
        value = parsed(raw, repeated)
    except (ValueError, RecursionError) as error:
        reason = "too deep" if isinstance(error, RecursionError) else str(error)
        text = raw.decode("utf-8", "backslashreplace")
        head = [EMPTY, line(Span(f" ? not JSON: {visible(reason, 200)}", "warn")), EMPTY]
        return [*head, *text_lines(text, 1, "text", width, unfolded=unfolded)]
    lines = [EMPTY]
    if repeated:
        names = ", ".join(dict.fromkeys(visible(name, 60) for name in repeated))
        lines += [line(Span(f" X repeats a key: {names}; readers differ on which one counts", "fail")), EMPTY]
    if isinstance(value, dict):
        laid_out = _members(value, width, unfolded=unfolded)
    else:
        laid_out = value_lines(value, 1, width, 0, unfolded=unfolded)
    for spans in laid_out:
        if len(lines) >= MOST_LINES:
            lines.append(line(Span(" … cut here; the whole row: distill lineage --bytes", "warn")))
            break
        lines.append(cut(spans, width))
    return lines


def _members(row: dict[str, Any], width: int, *, unfolded: bool) -> Iterator[Line]:
    """The row's members in their order; turns and tools of an export as what they say."""
    name_width = name_cells(row)
    for name, member in row.items():
        shown = Span(f"{visible(name, 60):<{name_width}}  ", "dim")
        if name in row_turns.LISTS and row_turns.is_turns(member):
            yield line(" ", shown, Span(row_turns.turns_words(member), "dim"))
            yield from row_turns.turn_lines(member, 1, width, unfolded=unfolded)
        elif name == "tools" and isinstance(member, str) and (tools := row_turns.tools_in(member)):
            yield line(" ", shown, Span(f"{count(len(tools))} offered", "dim"))
            yield from row_turns.tool_lines(tools, 1, width, unfolded=unfolded)
        elif words := row_turns.view_words(row, name):
            yield line(" ", shown, Span(words, "dim"))
        else:
            yield from named_lines(shown, member, 1, width, 0, unfolded=unfolded)


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
        return line(Span("   whole", "ok"), "  every link that was checked agrees with the next")
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
