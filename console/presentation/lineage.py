"""A lineage from the export down to the bytes, with a break drawn where two links disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.presentation.spans import Line, Role, Span, line, wrap_text
from console.presentation.states import Look
from pipeline.contracts.untrusted import visible

if TYPE_CHECKING:
    from console.reading.lineage_query import Lineage, Link, State

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
