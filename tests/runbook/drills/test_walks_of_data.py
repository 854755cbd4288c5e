"""Drills of sources and verdicts, and all that no other part walks,
walked by a wizard that is killed at every boundary."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.drills.drill import Drill
from runbook.symptoms import DRILLS
from tests.runbook.drills import test_walks_of_code, test_walks_of_exports
from tests.runbook.drills.walk import killed_walk

# What the other two parts do not walk: a new drill is walked here.
PART = tuple(each for each in DRILLS if each not in (*test_walks_of_code.PART, *test_walks_of_exports.PART))


@pytest.mark.slow
@pytest.mark.parametrize("drill", PART, ids=lambda drill: drill.id)
def test_a_planted_fault_is_found_explained_repaired_and_taken_back(
    drill: Drill, template: Path, tmp_path: Path
) -> None:
    killed_walk(drill, template, tmp_path / "w")
