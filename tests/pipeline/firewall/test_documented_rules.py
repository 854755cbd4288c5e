"""The examples of docs/exports.md and docs/firewall.md, held against exporter, schemas and firewall."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pipeline.firewall import call_forms, text_forms
from pipeline.firewall.places import Places
from pipeline.firewall.scan import scan
from pipeline.schemas.same_answer import Turn, same_answer
from pipeline.stages import same_call, same_text
from pipeline.stages.text_keys import turn_keys_of
from tests.pipeline.firewall.corpus import BAD, GOOD, Corpus, Run

DOCS = Path(__file__).parents[3] / "docs"


def rows_below(page: str, header: str) -> list[list[str]]:
    """The cells of the table with this header."""
    lines = (DOCS / page).read_text(encoding="utf-8").split(f"{header}\n", 1)[1].splitlines()[1:]
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    assert len(rows) > 5
    return rows


def quoted(cell: str) -> list[str]:
    """The JSON texts of a cell, each between backticks."""
    return [json.loads(text) for text in re.findall(r'`("(?:[^"\\]|\\.)*")`', cell)]


TEXTS = [
    (*quoted(one), *quoted(other), said)
    for one, other, said in rows_below("exports.md", "| one text | another | they are |")
]
CALLS = [
    ("" if one == "nothing" else one[1:-1], "" if other == "nothing" else other[1:-1], said)
    for one, other, said in rows_below("exports.md", "| arguments | others | they are |")
]
WALLS = [
    (*quoted(rejected), *quoted(row), said)
    for rejected, row, said in rows_below(
        "firewall.md", "| rejected run: asked, answered | row: asked, answered | the wall says |"
    )
]


@pytest.mark.parametrize(("one", "other", "said"), TEXTS)
def test_texts(one: str, other: str, said: str) -> None:
    mine = [same_text.strict(text) for text in (one, other)]
    yours = [text_forms.strict_form(text) for text in (one, other)]
    is_strict = said == "strictly the same"
    assert (mine[0].text == mine[1].text) is (yours[0].text == yours[1].text) is is_strict
    assert same_answer([Turn(one, ())], [Turn(other, ())]) is is_strict
    assert (level(one, other) is not None) is (said != "not the same")


def level(rejected: str, answered: str) -> str | None:
    """On which level the exporter calls two answers the same."""
    mine, yours = turn_keys_of(rejected), turn_keys_of(answered)
    assert mine is not None
    assert yours is not None
    if mine.strict == yours.strict:
        return "strictly"
    return "loosely" if mine.loose and mine.loose == yours.loose else None


@pytest.mark.parametrize(("one", "other", "said"), CALLS)
def test_arguments(one: str, other: str, said: str) -> None:
    for form in (same_call.arguments_form, call_forms.arguments_form):
        assert (form(one) == form(other)) is (said == "the same")


@pytest.mark.parametrize(("asked", "rejected", "claimed", "answered", "said"), WALLS)
def test_what_the_content_wall_says(
    tmp_path: Path, asked: str, rejected: str, claimed: str, answered: str, said: str
) -> None:
    bad = Run("bad", BAD, rejected, task="t1", instruction=asked)
    good = Run("good", GOOD, answered, task="t2", instruction=claimed)
    corpus = Corpus(tmp_path)
    corpus.runs(bad, good)
    corpus.export(good.row())
    report = scan(Places.of(tmp_path, None, (), ()))
    assert (report.findings.count, report.warnings.count) == {
        "breach": (1, 0),
        "warning": (0, 1),
        "clear": (0, 0),
    }[said]
