"""The README's table of commands, made from the table of commands."""

from __future__ import annotations

from pathlib import Path

from console.cli.commands import COMMANDS

CHECKOUT = Path(__file__).resolve().parents[2]
README = CHECKOUT / "README.md"
BEGIN, END = "<!-- commands: begin -->\n", "<!-- commands: end -->\n"


def table() -> str:
    rows = [f"| `distill {command.name}` | {command.help} |\n" for command in COMMANDS]
    return "| command | what it does |\n|---|---|\n" + "".join(rows)


def renewed(readme: str) -> str:
    """``readme`` with the table between its markers replaced. Raises ValueError without markers."""
    before, found, rest = readme.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not found or not ended:
        raise ValueError("README.md has lost the markers of its commands table")
    return before + BEGIN + table() + END + after
