"""Every drill: planted, detected alone, explained, repaired by a wizard that is killed at every
boundary of its journal, verified, and taken back byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.drills import DRILLS
from runbook.drills.drill import Drill
from tests.runbook.drills.sound import sound_copy
from tests.runbook.drills.walk import walk
from tests.runbook.symptoms.walked import raised

SEED = 20_261_124
# Where every wizard dies on the way. Not at "applied": killed at the last outcome it goes on to verify.
ALWAYS = {"classified", "planned", "consented", "begun", "verified"}


def test_before_anything_is_planted_no_symptom_shows(template: Path, tmp_path: Path) -> None:
    assert raised(sound_copy(template, tmp_path / "w", SEED).root) == []


@pytest.mark.slow
@pytest.mark.parametrize("drill", DRILLS, ids=lambda drill: drill.id)
def test_a_planted_fault_is_found_explained_repaired_and_taken_back(
    drill: Drill, template: Path, tmp_path: Path
) -> None:
    walked = walk(drill, sound_copy(template, tmp_path / "w", SEED), SEED, kill=True)
    assert set(walked.killed) >= ALWAYS
