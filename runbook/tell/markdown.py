"""Blocks as Markdown. Texts from data stand in code spans, fences or cells where Markdown would read them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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
from runbook.tell.plain import step_lines


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
        told = _lines(block, name)
        lines += told[1:] if told[:1] == [""] and lines[-1:] == [""] else told
    return [*lines, "```"] if in_fence else lines


def _lines(block: Block, name: str) -> list[str]:
    match block:
        case Heading(text):
            return ["", f"## {visible(text)}", ""]
        case Paragraph(text):
            return [visible(text)]
        case Fact():
            said = visible(f"{block.lead} {block.text}".strip(), 2000)
            return [f"- {visible(name)}: " + (f"`{said}`" if block.literal else said)]
        case Conclusion(sentence, confidence, is_cause):
            return [f"{'' if is_cause else 'Set aside: '}{visible(sentence)} ({confidence})", ""]
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
    more = [f"+{hidden} lines more"] if hidden else []
    return ["", "  ```text", *(f"  {line}" for line in [*shown, *more]), "  ```", ""]
