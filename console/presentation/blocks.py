"""What the runbook tells, as lines of a screen: a name in its column, the text wrapped beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from console.presentation.lines import difference_lines, is_difference, label, wrapped
from console.presentation.spans import (
    EMPTY,
    Line,
    Role,
    Span,
    cut,
    fit_text,
    line,
    line_width,
    spread,
    wrap_text,
)
from pipeline.contracts.plurals import plural
from pipeline.contracts.untrusted import visible
from pipeline.reading.durations import age_in_words, age_of
from runbook.tell.blocks import (
    Block,
    Conclusion,
    Fact,
    Finding,
    Gap,
    Heading,
    Paragraph,
    Printed,
    StepBlock,
    Table,
)

if TYPE_CHECKING:
    from runbook.tell.blocks import Tone

_STANCES: Mapping[str, Role] = {"for": "text", "against": "warn", "unknown": "dim"}
_CONFIDENCE: Mapping[str, Role] = {"certain": "strong", "likely": "strong"}
_LEADS: Mapping[Tone, Role] = {"fail": "badge"}


def block_lines(blocks: Iterable[Block], width: int, now: float | None = None) -> list[Line]:
    """``now`` is when it is read: with it, evidence says how old it is."""
    return [spans for block in blocks for spans in _lines(block, width, now)]


def _lines(block: Block, width: int, now: float | None) -> list[Line]:
    match block:
        case Heading(text):
            return [EMPTY, line(Span(f" {visible(text)}", "title"))]
        case Paragraph(text):
            return [line(Span(f" {part}", "dim")) for part in wrap_text(visible(text), width - 2)]
        case Fact():
            return _fact(block, width)
        case Conclusion(sentence, confidence, is_cause):
            if not is_cause:
                return wrapped(label("ruled out"), sentence, width)
            lead = label(confidence, _CONFIDENCE.get(confidence, "warn"))
            return wrapped(lead, sentence, width, "strong")
        case Finding():
            return _finding(block, width, now)
        case StepBlock():
            return step_lines(block, line(Span(f" {block.number} ", "key")), EMPTY, width)
        case Printed(lines, hidden):
            shown = [line(f"   {part}") for text in lines for part in wrap_text(visible(text), width - 4)]
            more = f"   … {plural(hidden, 'line')} more, kept in the incident"
            return [*shown, *([line(Span(more, "dim"))] if hidden else [])]
        case Table(head, rows):
            return [line(" " + "  ".join(visible(cell) for cell in row)) for row in (head, *rows)]
        case Gap():
            return [EMPTY]


def _fact(fact: Fact, width: int) -> list[Line]:
    if not fact.lead:
        return wrapped(label(fact.name), fact.text, width, fact.tone)
    lead = Span(f"{visible(fact.lead)} ", _LEADS.get(fact.lead_tone, fact.lead_tone))
    (name, first), *rest = wrapped(label(fact.name), f"{fact.lead} {fact.text}", width, fact.tone)
    return [line(name, lead, Span(first.text[len(lead.text) :], first.role)), *rest]


def _finding(found: Finding, width: int, now: float | None) -> list[Line]:
    lines = wrapped(label(found.stance, _STANCES.get(found.stance, "warn")), found.says, width)
    indent = label("")
    source = line(*indent, Span(visible(found.source), "dim"))
    if now is not None:
        age = line(Span(f"{age_in_words(age_of(found.read_at, now))} ago ", "dim"))
        lines.append(spread(source, age, width))
    elif found.source:
        lines += wrapped(indent, found.source, width, "dim")
    shown = [visible(text) for text in found.lines]
    if is_difference(shown):
        lines += [line(*indent, *spans) for spans in difference_lines(shown, width - line_width(indent))]
    else:
        lines += [cut(line(*indent, "  ", Span(text, "accent")), width) for text in shown]
    if found.hidden:
        lines.append(line(*indent, Span(f"  +{plural(found.hidden, 'line')} more", "dim")))
    return lines


def step_lines(step: StepBlock, lead: Line, right: Line, width: int) -> list[Line]:
    """One step. ``lead`` is its mark and number; ``right`` stands at the end of its first line."""
    indent = " " * line_width(lead)
    if step.verb == "by hand":
        said = wrapped(line(*lead, Span("by hand ", "strong")), step.subject, width)
        shown = wrap_text(visible(step.by_hand), max(16, width - 8))
        return [*said, *(line(indent, Span(part, "accent")) for part in shown)]
    left = line(*lead, Span(fit_text(step.verb, 8), "strong"), visible(step.subject))
    facts = right or line(Span(f"{step.change} ", "dim"))
    if line_width(left) + line_width(facts) + 1 <= width:
        lines = [spread(left, facts, width)]
    else:
        lines = wrapped(line(*lead, Span(fit_text(step.verb, 8), "strong")), step.subject, width)
        lines.append(line(indent + " " * 8, *facts))
    to = wrapped(line(f"{indent}    ", Span("to  ", "dim")), step.to, width + 1) if step.to else []
    return [*lines, *to]
