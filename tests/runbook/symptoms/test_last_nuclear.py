"""LAST.nuclear: when it is due, and when it is not any more."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.contracts.check_index import REQUIRED_CHECKS
from pipeline.contracts.status import Verdict
from pipeline.reading.check_report import AUDIT
from runbook.actions.restore import plan_restore
from runbook.change.plan import Draft
from runbook.change.planning import Planning
from runbook.probes.evidence import Confidence, Evidence, Stance
from runbook.probes.workspace import Workspace
from runbook.symptom import Answers, Offer
from runbook.symptoms.last_nuclear import AS_TAGGED, DIFFERS
from runbook.symptoms.last_nuclear.diagnose import SYMPTOM, _taken_back, detect, failed_repairs, rerun
from runbook.wizard.detecting import detect_one
from runbook.wizard.diagnosing import diagnose_only
from runbook.wizard.session import WizardSession, open_session
from tests.runbook.workspaces import LEAK, SFT, leak_symptom, make_workspace

RECON = "docs/recon/local-distillation-recon.md"
SCHEMA = "pipeline/schemas/sft.py"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = make_workspace(tmp_path / "w")
    (made.root / SFT).write_text(f"{LEAK}\n")
    (made.root / SCHEMA).write_text("ALLOWED = ('rejected',)\n")
    return made


def _restore(planning: Planning, _answers: Answers) -> Draft:
    return plan_restore(planning, [SCHEMA])


def _repaired_in_vain(workspace: Workspace) -> WizardSession:
    """The schema is restored, and the forbidden row is still there."""
    symptom = leak_symptom(Offer("restore", "Restore the schema", "why", _restore))
    session = open_session(workspace, symptom, detect_one(workspace, symptom))
    session.diagnose()
    plan = session.choose("restore", {})
    session.rehearse_plan()
    session.consent(plan.code, "mira", "it should help")
    session.apply()
    session.verify()
    assert detect(workspace).verdict is Verdict.CLEAR, "somebody is still at it"
    session.answer("afterwards", "escalate")
    return session


def _audit(workspace: Workspace, red: tuple[str, ...], *, at: float) -> None:
    checks = [
        {"id": each, "phase": each[:2], "required": True, "status": "fail" if each in red else "pass"}
        for each in REQUIRED_CHECKS
    ]
    report = {"finished_at": datetime.fromtimestamp(at, UTC).isoformat(), "checks": checks}
    path = workspace.root / AUDIT
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report))


def test_a_repair_that_did_not_help_makes_it_due_until_an_audit_passes(workspace: Workspace) -> None:
    assert detect(workspace).verdict is Verdict.CLEAR
    session = _repaired_in_vain(workspace)
    detection = detect(workspace)
    assert detection.verdict is Verdict.DETECTED
    assert detection.observed.startswith("S1.P4.sft-leak is still detected after")
    assert detection.facts["failed"] == [session.incident.id]
    # A repair of the last resort itself is no reason for it.
    assert failed_repairs(workspace.root, since=None, apart="S1.P4.sft-leak") == []
    assert [each.symptom_id for each in failed_repairs(workspace.root, since=None, apart=SYMPTOM.id)] == [
        "S1.P4.sft-leak"
    ]
    _audit(workspace, (), at=time.time() - 60)
    assert detect(workspace).verdict is Verdict.DETECTED
    _audit(workspace, (), at=time.time() + 1)
    assert detect(workspace).verdict is Verdict.CLEAR
    # A journal that was written to since, for another reason, tells of no repair that is newer.
    later = time.time() + 60
    os.utime(session.incident.folder / "journal.jsonl", (later, later))
    assert detect(workspace).verdict is Verdict.CLEAR


def test_the_same_symptom_resolved_later_ends_it(workspace: Workspace) -> None:
    _repaired_in_vain(workspace)
    (workspace.root / SCHEMA).write_text("ALLOWED = ('rejected',)\n")
    symptom = leak_symptom(Offer("restore", "Restore the schema", "why", _restore))
    again = open_session(workspace, symptom, detect_one(workspace, symptom))
    again.diagnose()
    plan = again.choose("restore", {})
    again.consent(plan.code, "mira", "with the row gone")
    again.apply()
    (workspace.root / SFT).write_text('{"id": "sft-1"}\n')
    again.verify()
    assert again.standing.state == "resolved"
    assert detect(workspace).verdict is Verdict.CLEAR


def test_one_broken_phase_is_no_last_resort_however_many_checks_are_red(workspace: Workspace) -> None:
    _audit(workspace, ("P1.validators-hold", "P4.exports-valid", "P7.replay"), at=time.time() + 60)
    detection = detect(workspace)
    assert detection.verdict is Verdict.CLEAR
    assert "the last audit failed in P1, P4, P7" in detection.observed


def test_three_broken_phases_are_one(workspace: Workspace) -> None:
    (workspace.root / RECON).write_text("")
    (workspace.root / "pipeline/replay").mkdir()
    (workspace.root / "pipeline/replay/models.py").write_text("# filler\n")
    _audit(workspace, ("P0.recon-doc", "P1.validators-hold", "P7.replay"), at=time.time() + 60)
    detection = detect(workspace)
    assert detection.verdict is Verdict.DETECTED
    assert detection.observed == "checks fail in P0, P1, P7; P0, P1, P7 differ from the last-good tag"
    _, diagnosis = diagnose_only(workspace, SYMPTOM, detection)
    assert diagnosis.cause.id == DIFFERS
    assert [each.split(":")[0] for each in diagnosis.cause.places] == ["P0", "P1", "P7"]
    assert [each.id for each in SYMPTOM.offers(detection, diagnosis)] == ["nuclear"]


def test_a_workspace_that_is_as_tagged_is_handed_over(workspace: Workspace) -> None:
    _repaired_in_vain(workspace)
    detection = detect(workspace)
    _, diagnosis = diagnose_only(workspace, SYMPTOM, detection)
    assert (diagnosis.cause.id, diagnosis.cause.confidence) == (AS_TAGGED, Confidence.LIKELY)
    assert SYMPTOM.offers(detection, diagnosis) == ()


def test_looking_anew_without_a_restore_under_way_asks_the_same(workspace: Workspace) -> None:
    _audit(workspace, ("P1.validators-hold",), at=time.time() + 60)
    assert rerun(workspace).verdict is Verdict.CLEAR


def test_what_was_taken_back_is_told_as_it_was() -> None:
    found = Evidence.of(Stance.FOR, "a.py is not as in v1: changed", "git diff v1 -- a.py", 1.0)
    assert _taken_back(found).says == "a.py was not as in v1: changed"
