from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from console.cli import distill
from console.cli.commands import span
from console.commands.handover import sections
from console.reading.handover import Handover, read_handover
from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.status import LockStatus, SymptomStatus
from pipeline.reading.incidents import read_incidents
from pipeline.reading.report_files import Notes
from tests.console.workspaces import FINISHED, add_run, iso, workspace_after_a_run, write

SINCE = FINISHED.timestamp() - 3600
NOW = FINISHED.timestamp() + 3600
EARLIER = FINISHED - timedelta(days=2)


def jsonl(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def entry(kind: str, state: str, at: datetime, actor: str = "maria", **more: Any) -> dict[str, Any]:
    return {"kind": kind, "state": state, "actor": actor, "recorded_at": iso(at), "detail": {}, **more}


def read(root: Path, symptoms: tuple[SymptomStatus, ...] = ()) -> Handover:
    return read_handover(root, symptoms, LockStatus(), SINCE, NOW)


def incident(root: Path, name: str, *rows: dict[str, Any], symptom: str | None, tail: str = "") -> None:
    folder = root / paths.INCIDENTS / name
    facts = {"incident_id": name, "symptom_id": symptom, "title": "what happened", "opened_by": "maria"}
    write(folder, "incident.json", {**facts, "opened_at": iso(EARLIER)})
    write(folder, "journal.jsonl", jsonl(*rows) + tail)


def test_an_open_incident_is_told_whatever_its_age_with_its_owner(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    incident(
        root,
        "20260425-0602-s1-p4-sft-leak",
        entry("opened", "detected", EARLIER, detail={"symptom_id": "S1.P4.sft-leak"}),
        entry("owner", "classified", EARLIER, actor="tom", detail={"was": "maria", "says": "took it over"}),
        entry("consent", "applying", EARLIER, actor="lena (typed by tom)", reason="waiting for the curator"),
        symptom="S1.P4.sft-leak",
        tail='{"kind": "to',
    )
    old = entry("verified", "resolved", EARLIER)
    incident(root, "20260425-0610-s6-replay-log", old, symptom="S6.replay-log")
    now = entry("verified", "resolved", FINISHED)
    incident(root, "20260427-0600-s6-replay-log", now, symptom="S6.replay-log")
    shift = read(root)
    assert [each.id for each in shift.incidents] == [
        "20260425-0602-s1-p4-sft-leak",
        "20260427-0600-s6-replay-log",
    ]
    first = shift.incidents[0]
    assert (first.state, first.owner, first.symptom) == ("applying", "tom", "S1.P4.sft-leak")
    assert first.last_note == "waiting for the curator"
    assert first.opened == EARLIER.timestamp()


@pytest.mark.parametrize(
    ("last", "symptom", "is_open"),
    [
        (entry("state", "escalated", EARLIER, detail={"closed": True}), "S2.drift", True),
        (entry("state", "abandoned", EARLIER, detail={"closed": True}), "S2.drift", False),
        (entry("state", "mitigated", EARLIER, detail={"closed": True}), "S2.drift", False),
        (entry("verified", "mitigated", EARLIER), "S2.drift", True),
        (entry("verified", "mitigated", EARLIER), None, False),
    ],
    ids=["handed over", "left", "mitigated and left so", "mitigated", "done directly"],
)
def test_what_is_over_is_told_as_the_wizard_tells_it(
    last: dict[str, Any], symptom: str | None, is_open: bool, tmp_path: Path
) -> None:
    incident(tmp_path, "20260425-0602-x", entry("opened", "detected", EARLIER), last, symptom=symptom)
    (found,) = read_incidents(tmp_path, Notes())
    assert found.is_open is is_open


def test_a_journal_that_cannot_be_read_is_told_and_not_left_out(tmp_path: Path) -> None:
    write(tmp_path / paths.INCIDENTS / "20260425-0602-x", "journal.jsonl", "\0garbage\n")
    notes = Notes()
    (found,) = read_incidents(tmp_path, notes)
    assert (found.state, found.is_open) == ("unreadable", True)
    assert notes.lines == ["reports/incidents/20260425-0602-x/journal.jsonl has no line that can be read"]


def test_decisions_of_the_shift_are_told_with_who_and_why(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    decision = {"metrics": {"rag_rows": 5.0}, "decided_metrics": ["rag_rows"], "actor": "maria"}
    rows = [
        {"kind": "seed", "metrics": {"rag_rows": 9.0}, "recorded_at": iso(FINISHED)},
        {"kind": "accept", **decision, "notes": "old", "recorded_at": iso(EARLIER)},
        {"kind": "dismiss", **decision, "notes": "one bad night", "recorded_at": iso(FINISHED)},
        {"notes": "by hand: new logs", "metrics": {"sft_rows": 4}},
    ]
    write(root, paths.AUDIT_BASELINES, jsonl(*rows) + "torn")
    found = [(one.kind, one.actor, one.note, one.metrics) for one in read(root).decisions]
    assert found == [
        ("dismiss", "maria", "one bad night", ("rag_rows",)),
        ("by hand", "", "by hand: new logs", ("sft_rows",)),
    ]


def test_runs_of_the_shift_are_told_and_failures_apart(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    add_run(root, run_id="20260425T060000Z-aaaa", finished=EARLIER)
    add_run(root, run_id="20260427T063000Z-bbbb", finished=FINISHED + timedelta(minutes=30), ok=False)
    shift = read(root)
    assert [row.pipeline_run_id for row in shift.runs] == ["20260427T063000Z-bbbb", "20260427T060000Z-9f31"]
    assert [row.pipeline_run_id for row in shift.failures] == ["20260427T063000Z-bbbb"]
    told = {title: [row[0] for row in rows] for title, _, rows in sections(shift)}
    assert told["failures"] == ["20260427T063000Z-bbbb"]
    assert told["runs"] == ["20260427T060000Z-9f31"]


def test_verdicts_and_replays_of_the_shift_are_counted(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    report = {"verdict": "audit-full: FAIL", "exit_code": 1, "finished_at": iso(FINISHED)}
    write(root, paths.AUDIT_DATA, report)
    old = {"verdict": "acceptance: PASS", "exit_code": 0, "finished_at": iso(EARLIER)}
    write(root, paths.ACCEPTANCE_DATA, old)
    replays = [{"recorded_at": iso(FINISHED), "validation_result": {"ok": ok}} for ok in (True, False, False)]
    write(root, paths.REPLAY_RUNS, jsonl(*replays))
    shift = read(root)
    assert [(one.report, one.verdict) for one in shift.verdicts] == [("audit-full", "audit-full: FAIL")]
    assert (shift.replays, shift.replays_refused) == (3, 2)


def test_a_symptom_nobody_owns_says_so_and_hostile_text_is_harmless(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a pipe: a line a row, its columns in their order."""
    root = workspace_after_a_run(tmp_path)
    (root / paths.RECON_DOC).unlink(missing_ok=True)
    entries = [entry("opened", "detected", FINISHED, actor="gone\x1b[2J")]
    incident(root, "20260427-0600-x", *entries, symptom="S1.P0.recon-doc")
    assert distill.main(["-C", str(root), "handover", "--since", "4000d"]) == ExitCode.OK
    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert [line.split()[0] for line in text.splitlines() if "20260427-0600-x" in line] == ["detected"]


def test_a_workspace_without_incidents_or_journals_hands_over_nothing_but_runs(tmp_path: Path) -> None:
    shift = read(workspace_after_a_run(tmp_path))
    assert (shift.incidents, shift.decisions, shift.notes) == ((), (), ())


def test_the_command_prints_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = workspace_after_a_run(tmp_path)
    assert distill.main(["-C", str(root), "--json", "handover", "--since", "30d"]) == ExitCode.OK
    data = json.loads(capsys.readouterr().out)
    assert (data["kind"], data["schema_version"]) == ("handover", 1)
    assert {"symptoms", "incidents", "decisions", "runs", "failures", "verdicts"} <= data.keys()


@pytest.mark.parametrize(("text", "seconds"), [("30m", 1800.0), ("8h", 28800.0), ("2d", 172800.0)])
def test_a_span_is_a_number_and_a_unit(text: str, seconds: float) -> None:
    assert span(text) == seconds


@pytest.mark.parametrize("text", ["8", "h", "0h", "-1h", "8 weeks"])
def test_anything_else_is_a_usage_error(text: str, tmp_path: Path) -> None:
    words = ["-C", str(workspace_after_a_run(tmp_path)), "handover", f"--since={text}"]
    assert distill.main(words) == ExitCode.USAGE


def test_times_are_those_of_the_reports(tmp_path: Path) -> None:
    shift = read(workspace_after_a_run(tmp_path))
    assert datetime.fromtimestamp(shift.runs[0].ended or 0, UTC) == FINISHED
