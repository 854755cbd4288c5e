"""When a symptom was first seen is kept by whoever may write, and told alike by those who only read."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from console.cli.distill import main
from pipeline.contracts import paths
from pipeline.contracts.status import Answer, Verdict
from pipeline.contracts.symptoms import ENGINE_DOES_NOT_START, LEAK
from pipeline.reading.report_files import Notes
from pipeline.reading.symptom_log import keep_looks, read_looks
from runbook.probes.evidence import Detection
from runbook.probes.workspace import Workspace
from runbook.symptom import Symptom
from runbook.wizard import detecting
from tests.pipeline.engine.workspaces import engine
from tests.runbook.command_line import distill
from tests.runbook.drills.faces import glanced_rows, six_faces
from tests.runbook.symptoms.walked import filled
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


@pytest.mark.parametrize("full", [(), ("--full",)], ids=str)
def test_a_look_that_was_starved_takes_no_alarm_from_any_face(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], full: tuple[str, ...]
) -> None:
    seen_at = time.time() - 60
    refused = Answer(Verdict.DETECTED, "it ends with 3", seen_at, id=ENGINE_DOES_NOT_START)
    keep_looks(root, [refused], seen_at)

    def starved(_: Workspace, symptom: Symptom, *, full: bool = False) -> Detection:
        verdict = Verdict.UNKNOWN if symptom.id == ENGINE_DOES_NOT_START else Verdict.CLEAR
        return Detection(
            symptom_id=symptom.id, verdict=verdict, observed="no memory", read_at=time.time(), as_of=None
        )

    monkeypatch.setattr(detecting, "detect_one", starved)
    assert main(["-C", str(root), "runbook", "detect", *full]) == 1
    said = capsys.readouterr()
    assert "it ends with 3" in said.out
    assert "seen by an earlier look" in said.out
    assert f"stale: {ENGINE_DOES_NOT_START}: no memory" in said.err
    faces = six_faces(root)
    assert faces == {face: {ENGINE_DOES_NOT_START: ("it ends with 3", int(seen_at))} for face in faces}
    assert main(["-C", str(root), "status"]) == 1


def test_a_breach_that_a_run_set_aside_and_another_one_are_one_that_never_cleared(root: Path) -> None:
    forbid(root)
    distill(root, "runbook", "detect")
    first = kept(root)
    engine(root, "run-all")
    distill(root, "runbook", "detect")
    assert kept(root) == first is not None
    forbid(root)
    assert since_of(root) == first
