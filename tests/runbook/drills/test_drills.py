"""Every drill: planted, detected alone, explained, repaired by a wizard that is killed at every
boundary of its journal, verified, and taken back byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.drills import DRILLS
from runbook.drills.drill import Drill
from runbook.symptoms import SYMPTOMS
from tests.runbook.drills.sound import sound_copy
from tests.runbook.drills.walk import find, walk
from tests.runbook.symptoms.walked import raised

SEED, ANOTHER_SEED = 20_261_124, 7
# What looks at the files themselves needs no audit, and is planted a second time.
LIVE = {symptom.id for symptom in SYMPTOMS if symptom.live}
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


@pytest.mark.parametrize(
    "drill", [each for each in DRILLS if each.symptom_id in LIVE], ids=lambda drill: drill.id
)
def test_the_fault_of_another_seed_is_found_and_explained_alike(
    drill: Drill, template: Path, tmp_path: Path
) -> None:
    find(drill, sound_copy(template, tmp_path / "w", ANOTHER_SEED))
