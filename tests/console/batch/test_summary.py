from __future__ import annotations

import re

from console.batch.parts import Part
from console.batch.summary import MAX_BYTES, summary
from pipeline.contracts.checks import CheckStatus
from tests.console.batch.outcomes import batch, check, hostile_batch, part


def test_failures_stand_before_everything_else() -> None:
    checks = (
        check("P0.recon-doc"),
        check("P2.provenance", CheckStatus.FAIL, detail="12 rows resolve to nothing"),
    )
    page = summary(batch(part(Part.AUDIT, 1, checks=checks)))
    assert page.index("P2.provenance · fail") < page.index("## P0")
    assert "12 rows resolve to nothing" in page


def test_hostile_texts_become_neither_markup_nor_control_characters() -> None:
    page = summary(hostile_batch())
    assert "<script>" not in page
    assert all(character.isprintable() for line in page.split("\n") for character in line)
    assert not re.search(r"(?<!\\)`", page)


def test_a_page_stays_below_the_limit_and_counts_what_it_left_out() -> None:
    checks = tuple(check(f"P2.c{n}", CheckStatus.FAIL, detail="x" * 1500) for n in range(2000))
    page = summary(batch(part(Part.AUDIT, 1, checks=checks)))
    assert len(page.encode()) < MAX_BYTES < 1024 * 1024
    assert "more sections did not fit here" in page
    small = summary(batch(part(Part.AUDIT, 1, checks=checks[:3])), max_bytes=4_000)
    assert len(small.encode()) < 4_000
