"""Blocks as plain lines, for a terminal without a screen. Nothing is wrapped; texts are made visible."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.contracts.untrusted import visible
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


def plain_lines(blocks: Iterable[Block]) -> list[str]:
    return [line.rstrip() for block in blocks for line in _lines(block)]


def _lines(block: Block) -> list[str]:
    match block:
        case Heading(text) | Paragraph(text):
            return [visible(text)]
        case Fact():
            said = visible(f"{block.lead} {block.text}".strip(), 2000)
            return [f"{visible(block.name)}: {said}" if block.name else f"  {said}"]
        case Conclusion(sentence, confidence, is_cause):
            return [f"{'cause' if is_cause else 'set aside'}: {visible(sentence)} ({confidence})"]
        case Finding():
            return [f"  {block.stance}: {visible(block.says)} ({visible(block.source)})", *_quoted(block)]
        case StepBlock():
            return step_lines(block)
        case Printed(lines, hidden):
            return [*(visible(line) for line in lines), *_more(hidden, "")]
        case Table(head, rows):
            return ["  ".join(visible(cell) for cell in row) for row in (head, *rows)]
        case Gap():
            return [""]


def step_lines(step: StepBlock) -> list[str]:
    """What it does, files before → after, and how to do it by hand."""
    lines = [f"{step.number}. {visible(step.says or f'{step.verb} {step.subject}')}"]
    if step.subject not in (step.says, step.by_hand):
        lines.append(f"     {visible(step.subject)}  {step.change}")
    elif step.change:
        lines.append(f"     {step.change}")
    if step.to:
        lines.append(f"     → {visible(step.to)}  the same bytes")
    if step.by_hand:
        lines.append(f"     by hand: {visible(step.by_hand)}")
    return lines


def _quoted(finding: Finding) -> list[str]:
    indent = " " * 6
    return [*(f"{indent}{visible(line, 200)}" for line in finding.lines), *_more(finding.hidden, indent)]


def _more(hidden: int, indent: str) -> list[str]:
    return [f"{indent}+{hidden} lines more"] if hidden else []
