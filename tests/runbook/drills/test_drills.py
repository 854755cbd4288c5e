"""What holds for every drill, and the faults of a second seed: found and explained alike.

The walks stand in ``test_walks_*.py``, in parts so that workers can share them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.drills.drill import Drill, Slip
from runbook.symptoms import DRILLS, SYMPTOMS
from runbook.symptoms.s1_p2_materialize import drill as readers
from tests.runbook.drills import test_walks_of_code, test_walks_of_data, test_walks_of_exports
from tests.runbook.drills.sound import sound_copy
from tests.runbook.drills.walk import SEED, find
from tests.runbook.symptoms.walked import raised

ANOTHER_SEED = 7
# What looks at the files themselves needs no audit, and is planted a second time.
LIVE = {symptom.id for symptom in SYMPTOMS if symptom.live}
PARTS = (test_walks_of_code.PART, test_walks_of_data.PART, test_walks_of_exports.PART)


def test_before_anything_is_planted_no_symptom_shows(template: Path, tmp_path: Path) -> None:
    assert raised(sound_copy(template, tmp_path / "w", SEED).root) == []


def test_every_drill_is_walked_once_and_every_symptom_has_one() -> None:
    assert sorted(drill.id for part in PARTS for drill in part) == sorted(drill.id for drill in DRILLS)
    assert {drill.symptom_id for drill in DRILLS} == {symptom.id for symptom in SYMPTOMS}


@pytest.mark.parametrize(
    "drill", [each for each in DRILLS if each.symptom_id in LIVE], ids=lambda drill: drill.id
)
def test_the_fault_of_another_seed_is_found_and_explained_alike(
    drill: Drill, template: Path, tmp_path: Path
) -> None:
    find(drill, sound_copy(template, tmp_path / "w", ANOTHER_SEED))


@pytest.mark.slow
@pytest.mark.parametrize("slip", readers.BROKEN, ids=lambda slip: slip.message)
def test_each_slip_of_the_code_that_reads_lines_is_planted_found_and_explained(
    slip: Slip, template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "BROKEN", (slip,))
    find(readers.CHANGED, sound_copy(template, tmp_path / "w", SEED))
