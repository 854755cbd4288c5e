"""The pages about scoring and exports name every code, and nothing that is no code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.formats.registry import FORMATS
from pipeline.stages.refusals import QuarantineReason
from pipeline.stages.score import ScoringSkipReason
from pipeline.stages.secret_rules import RULES as SECRET_RULES

DOCS = Path(__file__).parents[3] / "docs"


def rows_of(page: str, heading: str) -> list[list[str]]:
    """The cells of the table under ``heading``, without its header."""
    section = (DOCS / page).read_text(encoding="utf-8").split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.mark.parametrize(
    ("page", "heading", "codes"),
    [
        ("scoring.md", "Evidence that cannot be scored", set(ScoringSkipReason)),
        ("exports.md", "Reasons of quarantine", set(QuarantineReason)),
        ("exports.md", "Trainers' formats", set(FORMATS)),
    ],
)
def test_every_code_has_its_row(page: str, heading: str, codes: set[str]) -> None:
    assert {row[0].strip("`") for row in rows_of(page, heading)} == codes


def test_every_service_whose_credentials_are_found_is_named() -> None:
    text = (DOCS / "exports.md").read_text(encoding="utf-8").split("## Credentials", 1)[1].lower()
    for rule in SECRET_RULES:
        first_word = re.split("_", rule.kind)[0]
        assert first_word in text, rule.kind
