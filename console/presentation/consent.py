"""PURE: a consent, whole: what it removes first, what it does, what has to be typed.

One form for runs, checks, packed incidents and repairs: it is told in blocks, and asked for by the code
of the plan where it cannot be undone, by a reason where it is recorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from console.presentation.blocks import block_lines
from console.presentation.lines import difference_lines
from console.presentation.spans import EMPTY, Line, Span, line, wrap_text
from pipeline.contracts.untrusted import visible
from runbook.tell.blocks import GAP, Block, Fact
from runbook.tell.plan import plan_blocks

if TYPE_CHECKING:
    from console.control.feed import CommandPlan
    from console.control.wizard_view import WizardView

NO = "no, change nothing"


@dataclass(frozen=True)
class Consent:
    """``code`` is empty where none is asked for; ``command`` is what a copy takes along.

    ``reason`` is one that was given before: for which the console was armed.
    """

    title: str
    name: str
    told: tuple[Block, ...]
    command: str
    difference: tuple[str, ...] = ()
    code: str = ""
    wants_reason: bool = False
    reason: str = ""
    no: str = NO
    yes: str = ""

    @property
    def asks(self) -> str:
        """What has to be typed, in the order of the fields; empty where a choice is all."""
        parts = [f"Code {self.code}" if self.code else "", "reason" if self.wants_reason else ""]
        words = " · ".join(filter(None, parts))
        if not words:
            return ""
        does = self.yes.removeprefix("yes, ")
        return f"{words[0].upper()}{words[1:]} · Enter{f': {does}' if does else ''}"


def command_consent(plan: CommandPlan) -> Consent:
    return Consent(
        plan.title,
        f"plan {plan.digest}",
        tuple(command_blocks(plan)),
        plan.command_line,
        plan.difference,
        code=plan.code if plan.critical else "",
        no=plan.no,
        yes=plan.yes,
    )


def command_blocks(plan: CommandPlan) -> list[Block]:
    """What goes, the exact command, what changes, what stays, the way back."""
    facts: list[Block] = [Fact("removes", text, "warn") for text in plan.removes]
    facts.append(Fact("runs", plan.command_line, "accent"))
    for name, texts in (("changes", plan.changes), ("stays", plan.stays)):
        facts += [Fact("" if at else name, text) for at, text in enumerate(texts)]
    return [*facts, Fact("undo", plan.way_back)]


def wizard_consent(view: WizardView, command: str, reason: str = "") -> Consent:
    """``view`` has a plan that can be agreed to."""
    assert view.preview is not None  # noqa: S101 (the caller has looked)
    plan, rehearsal = view.preview.plan, view.standing.rehearsal
    shown = rehearsal.model_dump(mode="json") if rehearsal is not None else None
    return Consent(
        plan.title,
        f"plan {plan.hash[:12]} of {plan.incident_id}",
        tuple(plan_blocks(plan.model_dump(mode="json"), shown)),
        command,
        view.preview.difference,
        code=plan.code if view.is_critical or not plan.reversible else "",
        wants_reason=True,
        reason=reason,
    )


def told_lines(consent: Consent, width: int) -> list[Line]:
    """All that is read before the answer; a dialogue scrolls it."""
    title = wrap_text(visible(consent.title), max(16, width - 3))
    lines = [line(" ", Span(part, "strong")) for part in title]
    lines += [line(Span(f" {visible(consent.name)}", "dim")), EMPTY]
    lines += block_lines(consent.told, width)
    if consent.difference:
        lines += [*block_lines((GAP,), width), *difference_lines(consent.difference, width)]
    return lines
