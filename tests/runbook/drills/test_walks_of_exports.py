"""Drills of exports, receipts and replay, walked by a wizard that is killed at every boundary."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.drills.drill import Drill
from tests.runbook.drills.walk import drills_of, killed_walk

PART = drills_of(
    "S1.P4.sft-leak",
    "S1.P4.self-pair",
    "S1.P5.summary",
    "S1.P7.replay",
)


@pytest.mark.slow
@pytest.mark.parametrize("drill", PART, ids=lambda drill: drill.id)
def test_a_planted_fault_is_found_explained_repaired_and_taken_back(
    drill: Drill, template: Path, tmp_path: Path
) -> None:
    killed_walk(drill, template, tmp_path / "w")
