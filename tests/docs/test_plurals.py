"""A count and its noun agree: ``1 row``, never ``1 rows``; and so does a verb behind them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from pipeline.contracts.plurals import differ, plural, with_verb
from tests.architecture.fresh_interpreter import REPOSITORY

ROOMS = ("console", "runbook", "pipeline/acceptance", "pipeline/audit", "pipeline/card", "pipeline/commands")
_NOUNS = (
    "rows", "lines", "files", "runs", "findings", "entries", "incidents", "verdicts", "commits", "checks",
    "characters", "streams", "symptoms", "pairs", "skips", "warnings", "errors", "turns", "items",
)  # fmt: skip
_BEHIND_A_COUNT = re.compile(rf"^ (?:{'|'.join(_NOUNS)})\b")
# Limits, totals of the product itself, names, and counts that are said only where they are large.
_NEVER_ONE = re.compile(r"^_?[A-Z][A-Z_.]*$|^len\(_?[A-Z]+\)$|^(tally\.total|category|visible\(.*\))$")
_SAID_OF_MANY = (" entries, too many to replay", " commits", " characters; --bytes writes all of them")


def counts_without_agreement(path: Path) -> list[str]:
    """``{n} rows`` in an f-string, whatever ``n`` is; branches that know that it is not one are let be."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.JoinedStr):
            continue
        for value, text in zip(node.values, node.values[1:], strict=False):
            if not (isinstance(value, ast.FormattedValue) and isinstance(text, ast.Constant)):
                continue
            count = ast.unparse(value.value)
            said = str(text.value)
            let_be = _NEVER_ONE.search(count) or said.startswith(_SAID_OF_MANY)
            if _BEHIND_A_COUNT.match(said) and not let_be:
                found.append(f"{path}:{node.lineno} {{{count}}}{said}")
    return found


def test_every_count_agrees_with_its_noun() -> None:
    found = [
        use
        for room in ROOMS
        for path in (REPOSITORY / room).rglob("*.py")
        for use in counts_without_agreement(path)
    ]
    assert found == []


def test_a_count_without_agreement_is_found(tmp_path: Path) -> None:
    path = tmp_path / "report.py"
    path.write_text('say(f"{len(rows)} rows were", f"{n:,} files", f"{kind} of")\n')
    assert len(counts_without_agreement(path)) == 2


@pytest.mark.parametrize(
    ("value", "noun", "verb", "said"),
    [
        (1, "row", "was/were", "1 row was left"),
        (0, "row", "was/were", "0 rows were left"),
        (2, "entry", "has/have", "2 entries have left"),
        (2, "day", "is/are", "2 days are left"),
    ],
)
def test_noun_and_verb_agree(value: int, noun: str, verb: str, said: str) -> None:
    assert with_verb(value, noun, verb, "left") == said
    assert plural(1204, "finding") == "1,204 findings"
    assert differ(1, "from v1") == "1 file differs from v1"
