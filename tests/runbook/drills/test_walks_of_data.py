"""Drills of sources and verdicts, walked by a wizard that is killed at every boundary."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.drills.drill import Drill
from tests.runbook.drills.walk import drills_of, killed_walk

PART = drills_of(
    "S1.P0.recon-doc",
    "S1.P0.source-missing",
    "S1.P2.materialize",
    "S1.P3.distribution",
    "S2.drift",
    "S4.empty-exports",
    "S6.replay-log",
)


@pytest.mark.slow
@pytest.mark.parametrize("drill", PART, ids=lambda drill: drill.id)
def test_a_planted_fault_is_found_explained_repaired_and_taken_back(
    drill: Drill, template: Path, tmp_path: Path
) -> None:
    killed_walk(drill, template, tmp_path / "w")
