"""When a symptom was first seen is kept by whoever may write, and told alike by those who only read."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from pipeline.contracts import paths
from pipeline.contracts.symptoms import LEAK
from pipeline.reading.report_files import Notes
from pipeline.reading.symptom_log import read_looks
from tests.pipeline.engine.workspaces import engine
from tests.runbook.drills.faces import glanced_rows, six_faces
from tests.runbook.symptoms.walked import filled
from tests.runbook.test_commands import distill
from tests.runbook.workspaces import SFT


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return filled(tmp_path / "w").root


def forbid(root: Path) -> None:
    """Append a row that says itself that it is rejected."""
    row = json.loads((root / SFT).read_bytes().splitlines()[0])
    with (root / SFT).open("a") as file:
        file.write(json.dumps({**row, "quality_score": "rejected"}) + "\n")


def since_of(root: Path, symptom_id: str = LEAK) -> float | None:
    since: float | None = next(row["since"] for row in glanced_rows(root) if row["id"] == symptom_id)
    return since


def kept(root: Path) -> float | None:
    return read_looks(root, Notes())[LEAK].since


def test_a_viewer_that_sees_it_first_says_since_now_and_writes_nothing(root: Path) -> None:
    forbid(root)
    before = time.time()
    since = since_of(root)
    assert since is not None
    assert before <= since <= time.time()
    assert not (root / paths.SYMPTOM_LOG).exists()


@pytest.mark.parametrize("action", [("open", LEAK), ("plan", LEAK, "--offer", "quarantine")])
def test_opening_an_incident_keeps_the_sighting(root: Path, action: tuple[str, ...]) -> None:
    forbid(root)
    before = time.time()
    distill(root, "runbook", *action, "--json")
    since = kept(root)
    assert since is not None
    assert before <= since <= time.time()
    assert since_of(root) == since
    faces = six_faces(root)
    assert {name: said[LEAK][1] for name, said in faces.items()} == dict.fromkeys(faces, int(since))


def test_a_breach_that_a_run_set_aside_and_another_one_are_one_that_never_cleared(root: Path) -> None:
    forbid(root)
    distill(root, "runbook", "detect")
    first = kept(root)
    engine(root, "run-all")
    distill(root, "runbook", "detect")
    assert kept(root) == first is not None
    forbid(root)
    assert since_of(root) == first
