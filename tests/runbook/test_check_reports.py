"""Detectors made from checks: the last report, its age, and a second look where it is too old."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.contracts.faults import ExitCode
from pipeline.contracts.status import Answer, Verdict
from pipeline.platform.engine_choice import trust_what_we_made
from pipeline.reading.check_report import AUDIT
from pipeline.reading.symptom_answers import TOUCHED
from pipeline.reading.symptom_log import keep_looks
from runbook.commands.runbook import _found_data
from runbook.probes.check_reports import by_checks
from runbook.probes.looks import Detector, detection_from
from runbook.probes.workspace import Workspace
from runbook.symptoms import SYMPTOMS, by_report
from runbook.wizard.detecting import Found, _or_kept, detect_all, exit_code
from tests.runbook.workspaces import make_workspace

ID = "S1.P3.distribution"
CHECKS = ("P3.distribution", "P3.coverage")
# An engine that answers audit-full with the checks that stand in a file, and counts its calls.
ENGINE = """import sys
from pathlib import Path
root = Path(sys.argv[sys.argv.index("-C") + 1])
with (root / "asked").open("a") as file:
    file.write(" ".join(sys.argv[1:]) + "\\n")
sys.stdout.write((root / "answer.json").read_text())
"""


def _row(check: str, status: str) -> dict[str, object]:
    example = {"file": "data/scored-runs/a.jsonl", "line": 7, "run_id": "a/1", "text": "two verdicts"}
    examples = [example] if status == "fail" else []
    row = {"id": check, "phase": check[:2], "required": True, "status": status, "detail": "1 of 9"}
    return row | {"examples": examples}


def _report(workspace: Workspace, statuses: dict[str, str], *, name: str = AUDIT, at: float) -> None:
    when = datetime.fromtimestamp(at, UTC).isoformat()
    report = {"finished_at": when, "checks": [_row(check, status) for check, status in statuses.items()]}
    (workspace.root / name).parent.mkdir(parents=True, exist_ok=True)
    (workspace.root / name).write_text(json.dumps(report))


def _workspace(tmp_path: Path) -> Workspace:
    workspace = make_workspace(tmp_path / "w")
    (workspace.root / "pipeline/__main__.py").write_text(ENGINE)
    trust_what_we_made(workspace.root)
    (workspace.root / "pipeline/__pycache__").mkdir()  # the first start makes it, which is a change
    return workspace


def _asked(workspace: Workspace) -> list[str]:
    path = workspace.root / "asked"
    return path.read_text().splitlines() if path.exists() else []


def looks(checks: Sequence[str]) -> tuple[Detector, Detector]:
    """By the last audit, and anew."""
    return by_checks(ID, checks, by_report.by_checks(checks))


def test_without_an_audit_it_is_not_known(tmp_path: Path) -> None:
    detect, _ = looks(CHECKS)
    detection = detect(_workspace(tmp_path))
    assert (detection.verdict, detection.as_of) == (Verdict.UNKNOWN, None)


def test_a_red_report_rings_with_its_own_time_and_examples(tmp_path: Path) -> None:
    workspace = _workspace(tmp_path)
    at = time.time() + 60
    _report(workspace, {"P3.distribution": "pass", "P3.coverage": "fail"}, at=at)
    detection = looks(CHECKS)[0](workspace)
    assert (detection.verdict, detection.source) == (Verdict.DETECTED, AUDIT)
    assert detection.as_of is not None
    assert abs(detection.as_of - at) < 1
    assert detection.facts == {"checks": ["P3.coverage"]}
    assert detection.evidence[0].lines == ("data/scored-runs/a.jsonl:7 a/1 two verdicts",)
    assert _asked(workspace) == []


def test_a_red_that_is_older_than_a_change_is_looked_at_again(tmp_path: Path) -> None:
    workspace = _workspace(tmp_path)
    _report(workspace, {"P3.distribution": "pass", "P3.coverage": "fail"}, at=time.time() - 60)
    _report(workspace, {"P3.coverage": "pass"}, name="answer.json", at=time.time())
    detection = looks(CHECKS)[0](workspace)
    assert detection.verdict is Verdict.CLEAR
    assert len(_asked(workspace)) == 1
    assert "--check P3.coverage" in _asked(workspace)[0]
    assert "P3.distribution" not in _asked(workspace)[0]


def test_symptoms_that_ask_for_different_checks_share_one_look(tmp_path: Path) -> None:
    workspace = _workspace(tmp_path)
    statuses = {"P3.coverage": "fail", "P4.exports-valid": "fail", "P6.acceptance": "fail"}
    _report(workspace, statuses, at=time.time() - 60)
    _report(workspace, {"P3.coverage": "pass", "P4.exports-valid": "fail"}, name="answer.json", at=0)
    verdicts = [looks([check])[0](workspace).verdict for check in ("P3.coverage", "P4.exports-valid")]
    assert verdicts == [Verdict.CLEAR, Verdict.DETECTED]
    (asked,) = _asked(workspace)
    assert asked.endswith("--check P3.coverage --check P4.exports-valid --json")


def test_a_green_report_is_believed_as_of_its_time(tmp_path: Path) -> None:
    workspace = _workspace(tmp_path)
    _report(workspace, dict.fromkeys(CHECKS, "pass"), at=time.time() - 60)
    assert looks(CHECKS)[0](workspace).verdict is Verdict.CLEAR
    assert _asked(workspace) == []


def test_a_green_report_that_is_older_than_a_change_is_stale_and_no_all_clear(tmp_path: Path) -> None:
    workspace = _workspace(tmp_path)
    _report(workspace, dict.fromkeys(CHECKS, "pass"), at=time.time() - 3600)
    known = next(each for each in SYMPTOMS if each.id == ID)
    (found,) = detect_all(workspace, [known])
    assert (found.detection.verdict, found.detection.stale) == (Verdict.CLEAR, TOUCHED)
    assert exit_code([found], time.time()) == ExitCode.NOT_EVALUATED
    assert _asked(workspace) == [], "a look by itself holds no lock; --full does"


@pytest.mark.parametrize("contained", [True, False])
def test_a_look_that_stands_says_itself_whether_it_was_blind(contained: bool) -> None:
    """Not what it takes the place of: a blind look is not called contained, nor the other way round."""
    told = Answer(Verdict.UNKNOWN, "never made", 1.0, id=ID, nothing_yet=True, contained=not contained)
    kept = Answer(Verdict.UNKNOWN, "looked", 2.0, id=ID, contained=contained)
    stood = _or_kept(detection_from(ID, told, reproduce=""), kept, full=False)
    assert (stood.observed, stood.answer.is_blind) == ("looked", not contained)
    known = next(each for each in SYMPTOMS if each.id == ID)
    assert _found_data(Found(known, stood, None, None), "tag", own_engine=True)["contained"] is contained


@pytest.mark.parametrize("verdict", [Verdict.CLEAR, Verdict.DETECTED])
def test_what_a_full_look_saw_since_stands_before_an_older_report(tmp_path: Path, verdict: Verdict) -> None:
    workspace = _workspace(tmp_path)
    _report(workspace, dict.fromkeys(CHECKS, "pass"), at=time.time() - 3600)
    known = next(each for each in SYMPTOMS if each.id == ID)
    looked_at = time.time()
    seen = Answer(verdict, "asked anew", looked_at, "distill audit-full", id=ID)
    keep_looks(workspace.root, [seen], looked_at)
    (found,) = detect_all(workspace, [known])
    assert (found.detection.verdict, found.detection.observed) == (verdict, "asked anew")
    assert (found.detection.as_of, found.detection.stale) == (looked_at, "")
    _report(workspace, dict.fromkeys(CHECKS, "pass"), at=time.time())
    (found,) = detect_all(workspace, [known])
    assert found.detection.source == AUDIT, "a later report has the last word"


def test_a_check_that_could_not_look_is_not_clear(tmp_path: Path) -> None:
    workspace = _workspace(tmp_path)
    _report(workspace, {"P3.distribution": "pass", "P3.coverage": "error"}, at=time.time() + 60)
    assert looks(CHECKS)[0](workspace).verdict is Verdict.UNKNOWN


def test_a_rerun_that_the_engine_does_not_answer_is_not_known(tmp_path: Path) -> None:
    workspace = _workspace(tmp_path)
    (workspace.root / "answer.json").write_text("no JSON")
    detection = looks(CHECKS)[1](workspace)
    assert detection.verdict is Verdict.UNKNOWN
    assert "P3.coverage" in detection.observed


def test_a_report_of_rubbish_is_none(tmp_path: Path) -> None:
    workspace = _workspace(tmp_path)
    (workspace.root / AUDIT).parent.mkdir(parents=True, exist_ok=True)
    without_checks = ("{}", '{"checks": 3}', '{"checks": []}')
    for rubbish in ("", "[1]", *without_checks, '{"checks": [{"id": "P1', "[" * 100_000):
        (workspace.root / AUDIT).write_text(rubbish)
        facts = workspace.facts()
        assert facts.audit is None
        unread = facts.cannot_read(AUDIT)
        assert unread is not None, "what is there and says nothing is another thing than never made"
        assert not unread.nothing_yet
        detection = looks(CHECKS)[0](workspace)
        assert (detection.verdict, detection.nothing_yet) == (Verdict.UNKNOWN, False)


def test_a_check_with_a_word_that_nobody_knows_is_no_pass(tmp_path: Path) -> None:
    workspace = _workspace(tmp_path)
    _report(workspace, {"P3.distribution": "pass", "P3.coverage": "passed?"}, at=time.time() + 60)
    assert looks(CHECKS)[0](workspace).verdict is Verdict.UNKNOWN


def test_a_deleted_file_counts_as_a_change_and_a_journal_s_growth_does_not(tmp_path: Path) -> None:
    workspace = _workspace(tmp_path)
    for name in ("data/_kb/audit_baselines.jsonl", "data/evidence/a.jsonl"):
        (workspace.root / name).parent.mkdir(parents=True, exist_ok=True)
        (workspace.root / name).write_text("{}\n")
    at = (workspace.root / "data/evidence/a.jsonl").lstat().st_ctime + 0.001
    _report(workspace, {"P3.coverage": "pass"}, at=at)
    report = workspace.facts().audit
    assert report is not None
    with (workspace.root / "data/_kb/audit_baselines.jsonl").open("a") as file:
        file.write("{}\n")
    assert not workspace.is_touched_since(report.finished_at)
    marker = workspace.root / "marker"
    marker.touch()
    while marker.lstat().st_ctime <= at:
        marker.touch()  # the file system's clock may tick in steps of milliseconds
    (workspace.root / "data/evidence/a.jsonl").unlink()
    assert workspace.is_touched_since(report.finished_at)


def test_who_waits_for_the_detectors_hears_how_far_they_are(tmp_path: Path) -> None:
    heard: list[tuple[str, int, int]] = []
    workspace = _workspace(tmp_path)
    found = detect_all(workspace, SYMPTOMS[:3], tell=lambda *told: heard.append(told))
    assert len(found) == 3
    assert heard
    assert all(total == 3 and 0 <= done < 3 for _, done, total in heard)
    assert [done for _, done, _ in heard] == sorted(done for _, done, _ in heard)
    named = {name for at_work, _, _ in heard for name in at_work.split(", ") if name}
    assert named <= {symptom.id for symptom in SYMPTOMS[:3]}
