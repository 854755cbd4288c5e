"""docs/scoring.md: its prose is written by hand, its table of rules is that of the code."""

from __future__ import annotations

from pathlib import Path

from pipeline.stages.scoring_rules import RULES

PLACE = Path(__file__).resolve().parents[2] / "docs/scoring.md"
_BEGIN, _END = "<!-- `make pages` writes this table -->\n", "<!-- to here -->\n"


def page() -> str:
    """The page as it stands, with today's rules between its marks."""
    before, begin, rest = PLACE.read_text(encoding="utf-8").partition(_BEGIN)
    _, end, after = rest.partition(_END)
    return before + begin + _table() + end + after


def _table() -> str:
    lines = ["", "| | code | it decides when the answer is yes | category |", "| --- | --- | --- | --- |"]
    for number, rule in enumerate(RULES, 1):
        category = rule.category or "the one that they named"
        lines.append(f"| {number} | `{rule.code.value}` | {rule.question} | {category} |")
    return "\n".join([*lines, "", ""])
