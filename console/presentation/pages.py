"""Help, and the preview of a plan, as lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console import keymap
from console.presentation.lines import label, wrapped
from console.presentation.spans import EMPTY, Line, Span, fit_text, line, wrap_text
from pipeline.contracts.untrusted import visible

if TYPE_CHECKING:
    from console.control.feed import CommandPlan


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
        (" ", "ok", "evaluated, passed, young enough: healthy is quiet"),
        ("!", "warn", "passed, needs a look; before a stream: lines were skipped"),
        ("X", "FAIL", "evaluated, failed"),
        ("~", "stale", "true once; its input changed, or it is old"),
        ("?", "unknown", "not evaluated, not readable: never green"),
        ("»", "run", "running now"),
        ("·", "next", "will be evaluated by the running job"),
        ("-", "absent", "the file is not there, and we know why"),
    )
    lines = [line(Span(" Marks", "title"))]
    for mark, word, meaning in marks:
        lines.append(line(f"  {mark} {fit_text(word, 9)}", Span(f"  {meaning}", "dim")))
    return lines


def plan_lines(plan: CommandPlan, width: int) -> list[Line]:
    """The preview: the exact command, what changes, what stays, the way back."""
    lines = [line(Span(" runs      ", "dim"), Span(f"plan {plan.digest}, detached from this console", "dim"))]
    lines += [line(Span(f"   {part}", "accent")) for part in wrap_text(visible(plan.command_line), width - 4)]
    for name, texts in (("changes", plan.changes), ("stays", plan.stays), ("way back", (plan.way_back,))):
        parts = [part for text in texts for part in wrap_text(visible(text), width - 12)]
        lines += [line(*label("" if at else name), part) for at, part in enumerate(parts)]
    return lines
