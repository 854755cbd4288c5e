"""Blocks laid out: as plain lines for a terminal without a screen, and as Markdown.

Nothing is wrapped; texts are made visible. In Markdown, texts from data stand in code spans, fences or
cells where it would read them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.contracts.plurals import plural
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
    return [line.rstrip() for block in blocks for line in _plain(block)]


def _plain(block: Block) -> list[str]:
    match block:
        case Heading(text) | Paragraph(text):
            return [visible(text)]
        case Fact():
            said = visible(f"{block.lead} {block.text}".strip(), 2000)
            return [f"{visible(block.name)}: {said}" if block.name else f"  {said}"]
        case Conclusion(sentence, confidence, is_cause):
            return [f"{'cause' if is_cause else 'ruled out'}: {visible(sentence)} ({confidence})"]
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
    # A delete names digests, each on a line of its own; names elsewhere may hold a line end, and break none.
    shown = step.by_hand.split("\n") if step.verb == "delete" else [step.by_hand]
    lines += [
        f"     {' ' * 8 if at else 'by hand:'} {visible(text)}" for at, text in enumerate(shown) if text
    ]
    return lines


def _quoted(finding: Finding) -> list[str]:
    indent = " " * 6
    return [*(f"{indent}{visible(line, 200)}" for line in finding.lines), *_more(finding.hidden, indent)]


def _more(hidden: int, indent: str) -> list[str]:
    return [f"{indent}+{plural(hidden, 'line')} more"] if hidden else []


def markdown_lines(blocks: Iterable[Block]) -> list[str]:
    """Steps share a fence; a name that is left out is that of the fact above."""
    lines: list[str] = []
    name, in_fence = "", False
    for block in blocks:
        if in_fence != isinstance(block, StepBlock):
            in_fence = not in_fence
            lines.append("```text" if in_fence else "```")
        if isinstance(block, Fact):
            name = block.name or name
        told = _markdown(block, name)
        lines += told[1:] if told[:1] == [""] and lines[-1:] == [""] else told
    return [*lines, "```"] if in_fence else lines


def _markdown(block: Block, name: str) -> list[str]:
    match block:
        case Heading(text):
            return ["", f"## {visible(text)}", ""]
        case Paragraph(text):
            return [visible(text)]
        case Fact():
            said = visible(f"{block.lead} {block.text}".strip(), 2000)
            return [f"- {visible(name)}: " + (f"`{said}`" if block.literal else said)]
        case Conclusion(sentence, confidence, is_cause):
            return [f"{'' if is_cause else 'Ruled out: '}{visible(sentence)} ({confidence})", ""]
        case Finding():
            told = f"- {block.stance}: {visible(block.says)} (`{visible(block.source)}`)"
            return [told, *_fenced(block.lines, block.hidden)]
        case StepBlock():
            return step_lines(block)
        case Printed(lines, hidden):
            return _fenced(lines, hidden)
        case Table(head, rows):
            return table(head, rows)
        case Gap():
            return [""]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A head and its rows; what would end a cell is escaped."""
    return [_row(head), f"|{'---|' * len(head)}", *(_row(row) for row in rows)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _cell(text: str) -> str:
    return visible(text, 200).replace("|", "\\|")


def _fenced(quoted: Sequence[str], hidden: int) -> list[str]:
    if not quoted:
        return []
    # A fence within would end ours.
    shown = [visible(line, 300).replace("```", "'''") for line in quoted]
    more = [f"+{plural(hidden, 'line')} more"] if hidden else []
    return ["", "  ```text", *(f"  {line}" for line in [*shown, *more]), "  ```", ""]
