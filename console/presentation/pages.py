"""Help, as lines."""

from __future__ import annotations

from console import keymap
from console.presentation.lines import wrapped
from console.presentation.row_counts import MIX_MARKS
from console.presentation.spans import EMPTY, Line, Span, fit_text, line
from console.presentation.states import DRIFT, SHORT_CATEGORIES


def help_lines(place: keymap.Place, width: int) -> list[Line]:
    """Every key that works in ``place``, by group, made from the key map."""
    lines: list[Line] = []
    for group, title in keymap.GROUPS.items():
        actions = [action for action in keymap.at(place) if action.group == group]
        if not actions:
            continue
        lines += [EMPTY, line(Span(f" {title}", "title"))]
        for action in actions:
            keys = " ".join(keymap.shown(key) for key in action.keys)
            lines += wrapped(line(Span(f"  {fit_text(keys, 12)} ", "key")), action.help, width)
    return [*lines, EMPTY, *_legend(width)]


def _legend(width: int) -> list[Line]:
    marks = (
        (" ", "ok", "run recently, passed"),
        ("!", "warn", "passed with a warning; before a stream: lines were skipped"),
        ("X", "FAIL", "run, failed"),
        ("~", "stale", "its input changed since, or it is old"),
        ("?", "unknown", "not run, or not readable"),
        ("»", "run", "running now"),
        ("·", "next", "the running job will run it"),
        ("-", "absent", "the file is missing, and it is known why"),
    )
    lines = [line(Span(" Marks", "title"))]
    for mark, word, meaning in marks:
        lines.append(line(f"  {mark} {fit_text(word, 9)}", Span(f"  {meaning}", "dim")))
    mix = "  ".join(f"{mark} {SHORT_CATEGORIES.get(name, name)}" for name, mark in MIX_MARKS.items())
    lines.append(line(f"    {fit_text('mix', 9)}", Span(f"  {mix}", "dim")))
    drift = "  ".join(f"{look.mark} {look.word}" for look in DRIFT.values() if look.mark.strip())
    lines.append(line(f"    {fit_text('drift', 9)}", Span(f"  {drift} (not in the baseline)", "dim")))
    return lines
