"""Evidence that is read a second time is the line at its place, wherever pieces of the file end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.firewall.conversation import text_of
from pipeline.firewall.index import Index
from tests.pipeline.firewall.corpus import BAD, Run, line

SIZES = (10, 20_000, 300, 400_000, 5, 130_000, 16_000, 70)


@pytest.fixture
def index(tmp_path: Path) -> Index:
    runs = [Run(f"run-{number}", BAD, f"{number} " + "x" * size) for number, size in enumerate(SIZES)]
    scored, evidence = tmp_path / "scored.jsonl", tmp_path / "evidence.jsonl"
    scored.write_bytes(b"".join(line(run.scored()) for run in runs))
    evidence.write_bytes(b"".join(line(run.evidence()) for run in runs))
    made = Index([scored], [evidence])
    for _ in made.build():
        pass
    return made


def said(index: Index, number: int) -> str:
    run = index.evidence_of(index.runs.get(f"chat/run-{number}"))
    assert run is not None
    assert run.run_id == f"chat/run-{number}"
    return text_of(run.response) or ""


@pytest.mark.parametrize("order", [range(8), range(7, -1, -1), (0, 4, 1, 5, 2, 6, 3, 7)])
def test_each_run_is_read_as_it_stands_in_whatever_order(index: Index, order: Sequence[int]) -> None:
    for number in order:
        assert said(index, number) == f"{number} " + "x" * SIZES[number]


def test_what_was_altered_since_is_seen_by_the_next_look(index: Index) -> None:
    assert said(index, 0).startswith("0 x")
    evidence = index.evidence[0]
    evidence.write_bytes(evidence.read_bytes().replace(b"4 xxxxx", b"4 yyyyy"))
    index.read_anew()
    assert said(index, 4) == "4 yyyyy"


def test_a_line_that_lost_its_end_is_not_read(index: Index) -> None:
    evidence = index.evidence[0]
    evidence.write_bytes(evidence.read_bytes().removesuffix(b"\n"))
    assert index.evidence_of(index.runs.get("chat/run-7")) is None
    assert said(index, 6).startswith("6 x")
