"""Help, what to do by hand, and the preview of a plan, as lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console import keymap
from console.presentation.lines import label, wrapped
from console.presentation.spans import EMPTY, Line, Span, fit_text, line, wrap_text
from pipeline.contracts.shell_words import quoted
from pipeline.contracts.status import FirewallStatus, SymptomStatus
from pipeline.contracts.untrusted import visible

if TYPE_CHECKING:
    from console.control.feed import CommandPlan

_LEAK = "S1.P4.sft-leak"


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
        ("!", "warn", "passed, needs a look"),
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


def commands_for(symptom: SymptomStatus, firewall: FirewallStatus, workspace: str) -> list[tuple[str, str]]:
    """What to do by hand, in this order: why, and the exact command, quoted for a shell."""
    here = f"-C {quoted(workspace)}"
    if symptom.id != _LEAK:
        step = symptom.next_step
        return [("Next step", step)] if step else []
    file = firewall.file or "exports/sft/instruction_response.jsonl"
    name = quoted(file)
    steps = [("See every forbidden row", f"distill firewall {here} --json")]
    row = next((finding.row_id for finding in firewall.findings if finding.row_id), None)
    if row:
        steps.append(("Trace the first one to its source line", f"distill lineage {here} {quoted(row)}"))
    steps += [
        (
            "Take it away from trainers: one rename, nothing is deleted",
            f"cd {quoted(workspace)} && mv -n {name} {name}.QUARANTINED-$(date +%s)",
        ),
        ("Export again, with the scan before the commit", f"distill run-all {here}"),
        ("Verify: only CLEAR closes this", f"distill firewall {here}"),
    ]
    return steps


def plan_lines(plan: CommandPlan, width: int) -> list[Line]:
    """The preview: the exact command, what changes, what stays, the way back."""
    lines = [line(Span(" runs      ", "dim"), Span(f"plan {plan.digest}, detached from this console", "dim"))]
    lines += [line(Span(f"   {part}", "accent")) for part in wrap_text(visible(plan.command_line), width - 4)]
    for name, texts in (("changes", plan.changes), ("stays", plan.stays), ("way back", (plan.way_back,))):
        parts = [part for text in texts for part in wrap_text(visible(text), width - 12)]
        lines += [line(*label("" if at else name), part) for at, part in enumerate(parts)]
    return lines
