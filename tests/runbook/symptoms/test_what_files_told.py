"""What files alone told is gone once they do not; what a run set aside is told until a person has looked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline.contracts import paths
from pipeline.reading.report_files import Notes
from pipeline.reading.symptom_log import read_looks
from tests.runbook.command_line import CONSENT, distill, planned
from tests.runbook.drills.faces import glanced, six_faces
from tests.runbook.symptoms.test_sft_leak import append_rejected
from tests.runbook.workspaces import SFT

LEAK, SUMMARY = "S1.P4.sft-leak", "S1.P5.summary"


def quarantined_by_hand(root: Path) -> None:
    plan = planned(root, "quarantine", SFT)
    assert distill(root, "quarantine", "--plan", plan["plan_hash"], *CONSENT).returncode == 0


def test_after_a_quarantine_no_claim_is_called_broken_any_more(root: Path) -> None:
    append_rejected(root)
    assert distill(root, "runbook", "detect").returncode == 10
    assert read_looks(root, Notes())[SUMMARY].by_glance
    assert set(glanced(root)) == {LEAK, SUMMARY}
    quarantined_by_hand(root)
    assert glanced(root) == {}
    assert distill(root, "status").returncode == 5, "there is no export to judge, which is no alarm"


def test_a_breach_that_a_run_alone_set_aside_is_told_until_a_person_has_looked(root: Path) -> None:
    append_rejected(root)
    assert _run_all(root) == 10
    assert _run_all(root) == 0
    said = glanced(root)
    assert set(said) == {LEAK}
    assert "a run set aside" in said[LEAK][0]
    assert distill(root, "status").returncode == 10
    faces = six_faces(root)
    assert {face: set(each) for face, each in faces.items()} == {face: {LEAK} for face in faces}
    opened = distill(root, "runbook", "open", LEAK)
    assert f"/standing/{SFT}" in opened.stdout
    assert glanced(root) == {}
    assert distill(root, "runbook", "detect").returncode == 0


def test_its_wizard_sets_nothing_aside_and_names_no_cause_that_was_not_seen(root: Path) -> None:
    append_rejected(root)
    _run_all(root)
    found: dict[str, Any] = json.loads(distill(root, "runbook", "diagnose", LEAK, "--json").stdout)
    assert found["offers"] == []
    assert found["detection"]["evidence"]
    assert found["diagnosis"]["cause"]["confidence"] != "certain"


def test_a_breach_that_stands_again_is_told_before_the_one_that_was_set_aside(root: Path) -> None:
    append_rejected(root)
    _run_all(root)
    append_rejected(root)
    assert "a run set aside" not in glanced(root)[LEAK][0]
    quarantined_by_hand(root)
    assert LEAK not in glanced(root), "whoever acted on the second has met the first"


def test_what_score_told_already_is_no_new_alarm(root: Path) -> None:
    run = next((root / paths.REPORTS).glob("*T*Z-*"))
    kept = root / paths.kept_answer(run.name, SFT)
    kept.parent.mkdir(parents=True)
    kept.write_text(json.dumps({"state": "BREACH", "forbidden_rows": 1, "findings_count": 1, "rows_read": 3}))
    assert glanced(root) == {}, "nothing was set aside: the file still stands, and is judged itself"


def _run_all(root: Path) -> int:
    return distill(root, "run-all").returncode
