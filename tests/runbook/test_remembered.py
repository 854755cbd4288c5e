"""The last audit remembers where each journal ended, and a record that was cut is held to that."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pipeline.contracts import paths
from pipeline.reading.check_report import AUDIT
from pipeline.reading.incidents import HEAD, incident_heads, remembered_heads
from runbook.change.incident import Incident, open_incident


@pytest.fixture
def incident(tmp_path: Path) -> Incident:
    """Three entries when the audit looked, and a fourth since."""
    made = open_incident(tmp_path, "S1.P4.sft-leak", "a leak")
    for number in range(3):
        made.journal.append("note", "detected", detail={"number": number})
    report = {"checks": [], "incident_heads": incident_heads(tmp_path)}
    (tmp_path / AUDIT).parent.mkdir(parents=True)
    (tmp_path / AUDIT).write_text(json.dumps(report))
    made.journal.append("note", "detected", detail={"number": 3})
    return made


def _said(incident: Incident) -> str:
    problems = incident.problems(remembered_heads(incident.root))
    return "; ".join(problem.says for problem in problems)


def _keep(incident: Incident, count: int) -> None:
    """Cut the journal to ``count`` entries, and let ``head.json`` agree."""
    lines = incident.journal.path.read_bytes().splitlines(keepends=True)[:count]
    incident.journal.path.write_bytes(b"".join(lines))
    last = json.loads(lines[-1])
    (incident.folder / HEAD).write_text(json.dumps({"seq": count, "hash": last["hash"]}))


def test_a_journal_that_went_on_is_whole(incident: Incident) -> None:
    assert _said(incident) == ""


def test_a_tail_that_was_cut_together_with_its_head_is_found(incident: Incident) -> None:
    _keep(incident, 2)
    assert incident.journal.problems() == []
    assert _said(incident) == "ends at entry 2, but the last audit saw 3: the tail is gone"


def test_a_journal_that_was_written_again_is_found(incident: Incident) -> None:
    _keep(incident, 2)
    incident.journal.append("note", "detected", detail={"number": "another"})
    assert incident.journal.problems() == []
    assert _said(incident) == "is not the entry that the last audit saw"


def test_an_incident_that_is_gone_is_missed(incident: Incident) -> None:
    shutil.rmtree(incident.folder)
    assert _said(incident) == "is gone; the last audit saw 3 entries"


def test_a_report_leads_to_no_folder_outside_of_the_incidents(tmp_path: Path) -> None:
    (tmp_path / AUDIT).parent.mkdir(parents=True)
    heads = {"../../elsewhere": {"seq": 1, "hash": "0" * 64}, "x": {"seq": "1", "hash": None}}
    (tmp_path / AUDIT).write_text(json.dumps({"checks": [], "incident_heads": heads}))
    assert remembered_heads(tmp_path) == {}


@pytest.mark.parametrize("data", [b"", b"[]", b'{"seq": 1}', b'{"seq": 1, "hash": "short"}'])
def test_a_head_that_says_nothing_is_left_out_of_the_report(tmp_path: Path, data: bytes) -> None:
    folder = tmp_path / paths.INCIDENTS / "i"
    folder.mkdir(parents=True)
    (folder / HEAD).write_bytes(data)
    assert incident_heads(tmp_path) == {}
