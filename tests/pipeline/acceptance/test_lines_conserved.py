"""A04 by its judge alone: what a run would have to leave on disk for each thing that it says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pipeline.acceptance.fixture import Fixture
from pipeline.acceptance.input import INVARIANTS
from pipeline.acceptance.scene import Scene
from pipeline.acceptance.written import Written
from pipeline.checks.runner import Outcome

FILE, PRICES = "data/_kb/judged.jsonl", "data/_kb/prices.jsonl"


class Left:
    """Of three lines one became two rows, one became one, and one was skipped; a price was looked up."""

    def __init__(self) -> None:
        self.evidence: list[dict[str, Any]] = [_row(1, 0), _row(1, 1), _row(2, 0)]
        self.skips: list[dict[str, Any]] = [{"file": FILE, "line": 3, "reason": "no_parts"}]
        self.lines = {"judged": 3, "prices": 1}
        self.judged = {"lines": 3, "mapped": 2, "looked_up": 0, "skipped": 1, "evidence": 3}
        self.prices = {"lines": 1, "mapped": 0, "looked_up": 1, "skipped": 0, "evidence": 0}

    def outcome(self) -> Outcome:
        sources = {"judged.jsonl": b"{}\n{}\n{}\n", "prices.jsonl": b"{}\n"}
        base = SimpleNamespace(
            evidence=self.evidence,
            skips=self.skips,
            summary={"streams": {"judged": self.judged, "prices": self.prices}},
            source_bytes=lambda relative: sources[Path(relative).name],
        )
        fixture = SimpleNamespace(
            sources=lambda: sources, expected={"parts": {FILE: {"1": 2}}, "lines": self.lines}
        )
        scene = SimpleNamespace(base=cast(Written, base), fixture=cast(Fixture, fixture))
        return INVARIANTS["A04"].judge(cast(Scene, scene), lambda job: None)


def _row(line: int, part: int) -> dict[str, Any]:
    return {"provenance": {"source_file": FILE, "line": line, "part": part}}


def test_lines_that_all_went_somewhere_are_conserved() -> None:
    outcome = Left().outcome()
    # A skip's reason, each line, the parts of each mapped line, and two counts a stream.
    assert (outcome.failed, outcome.examined, outcome.detail) == (0, 1 + 4 + 2 + 2 * 2, "")


def _forgets_a_part(left: Left) -> None:
    left.evidence.pop(0)
    left.judged["evidence"] = 2


def _repeats_a_part(left: Left) -> None:
    left.evidence[1] = _row(1, 0)


def _makes_a_part_too_many(left: Left) -> None:
    left.evidence.append(_row(2, 1))
    left.judged["evidence"] = 4


def _forgets_a_skip(left: Left) -> None:
    left.skips.clear()
    left.judged["skipped"] = 0


def _skips_what_it_mapped(left: Left) -> None:
    left.skips.append({"file": FILE, "line": 2, "reason": "no_parts"})
    left.judged["skipped"] = 2


def _skips_without_a_reason(left: Left) -> None:
    left.skips[0]["reason"] = "No reason."


def _skips_twice(left: Left) -> None:
    left.skips.append(left.skips[0])
    left.judged["skipped"] = 2


def _looks_nothing_up(left: Left) -> None:
    left.prices["looked_up"] = 0


def _claims_another_count(left: Left) -> None:
    left.judged["mapped"] = 3


def _has_other_lines_than_the_fixture(left: Left) -> None:
    left.lines["judged"] = 4


@pytest.mark.parametrize(
    ("spoil", "place", "said"),
    [
        (_forgets_a_part, (FILE, 1), "parts [1] of 2"),
        (_repeats_a_part, (FILE, 1), "parts [0, 0] of 2"),
        (_makes_a_part_too_many, (FILE, 2), "parts [0, 1] of 1"),
        (_forgets_a_skip, (FILE, 3), "neither mapped nor skipped"),
        (_skips_what_it_mapped, (FILE, 2), "accounted for 2 times"),
        (_skips_twice, (FILE, 3), "accounted for 2 times"),
        (_skips_without_a_reason, (FILE, 3), "a skip without a reason code"),
        (_looks_nothing_up, (PRICES, 1), "neither mapped nor skipped"),
        (_claims_another_count, (None, None), "judged: the summary claims"),
        (_has_other_lines_than_the_fixture, (None, None), "judged: 3 lines, the fixture has 4"),
    ],
)
def test_what_became_of_no_line_or_of_one_twice_is_named(
    spoil: Callable[[Left], None], place: tuple[str | None, int | None], said: str
) -> None:
    left = Left()
    spoil(left)
    outcome = left.outcome()
    assert outcome.failed >= 1
    first = outcome.examples[0]
    assert ((first.file, first.line), first.text[: len(said)]) == (place, said)
