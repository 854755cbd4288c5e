from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.plain.status import WIDTH, exit_code, pane_lines, status_lines, texts
from console.presentation.drift import drift_pane
from console.presentation.firewall import firewall_pane
from console.presentation.phases import phases_pane
from console.presentation.spans import plain_text
from console.reading.workspace_reader import WorkspaceReader
from pipeline.contracts import paths
from pipeline.contracts.row_counts import Balance, ExportCounts, StreamCounts
from pipeline.contracts.severity import Severity
from pipeline.contracts.status import (
    Answer,
    DriftLine,
    DriftStatus,
    EngineStatus,
    Finding,
    FirewallStatus,
    FirewallWord,
    Freshness,
    GitStatus,
    LockStatus,
    Origin,
    PhaseState,
    PhaseStatus,
    RowCounts,
    SymptomStatus,
    Verdict,
    WorkspaceStatus,
)
from pipeline.contracts.status_data import as_data
from runbook.symptoms import definitions
from tests.console.workspaces import NOW, workspace_after_a_run

LIVE = Origin("live", NOW, Freshness.FRESH)
BREACH = FirewallStatus(
    FirewallWord.BREACH,
    LIVE,
    str(paths.SFT_EXPORT),
    rows_read=2764,
    findings_count=7,
    forbidden_rows=7,
    findings=tuple(
        Finding("label", "f", 2762 + n, detail="says needs_human_review", run_id=f"run {n}") for n in range(7)
    ),
    since=NOW - 263,
    cause="another writer",
)


@pytest.fixture
def status(tmp_path: Path) -> WorkspaceStatus:
    return replace(WorkspaceReader(workspace_after_a_run(tmp_path)).read(NOW), workspace="/srv/night")


def answer(symptom_id: str, verdict: Verdict = Verdict.DETECTED, **more: Any) -> Answer:
    return Answer(verdict, "something", NOW, id=symptom_id, **more)


def symptom(severity: Severity) -> SymptomStatus:
    return SymptomStatus("S9", severity, "something", LIVE, "distill doctor", since=NOW - 60)


def test_a_quiet_workspace_reads_like_this(status: WorkspaceStatus) -> None:
    known = len(definitions())
    assert status_lines(status) == [
        "night · not a git repository · 2026-04-27T06:01:02Z",
        "/srv/night · engine installed · lock free",
        "",
        f"SYMPTOMS   0 symptoms · 4 of {known} checks run, {known - 4} never, oldest 0s",
        "",
        "FIREWALL  read 1m ago",
        " ~ STALE",
        " CLEAR when it was exported; not scanned since: distill firewall",
        " Out of date: its file changed, or was not read since.",
        " exports/sft/instruction_response.jsonl",
        "",
        "PHASES",
        "    phase          state    last run      age     took",
        " P0 recon          ok                    live        -",
        " P1 schemas      ? never           -        -        -",
        " P2 evidence       ok      06:00:02Z       1m     0.5s",
        " P3 score          ok      06:00:02Z       1m     0.5s",
        " P4 export         ok      06:00:02Z       1m     0.5s",
        " P5 receipts       ok      06:00:02Z       1m        -",
        " P6 acceptance   ? never           -        -        -",
        " P7 replay       ? never           -        -        -",
        " P8 audit        ? never           -        -        -",
        " P9 release      ? never           -        -        -",
        "",
        "ROWS BY STREAM  run 1m ago",
        f"  accepted       4 {'▇' * 47}   40%",
        f"  partial        1 {'▇' * 12}{' ' * 35}   10%",
        f"  review         2 {'▇' * 24}{' ' * 23}   20%",
        f"  rejected       3 {'▇' * 35}{' ' * 12}   30%",
        "",
        " rag 5 + 5 quarantined   sft 4 + 6 quarantined   pairs 2 + 6 quarantined",
        " ok 12 lines = 10 mapped + 1 joined + 1 skipped",
        " ok 10 scored = 4 accepted + 1 partial + 2 review + 3 rejected",
        " ok 10 sft = 4 sft + 6 quarantined",
        " ok 10 rag = 5 rag + 5 quarantined",
        "",
        " stream         evid.  accept partial  review  reject",
        "!total             10       4       1       2       3",
        "!taubench          10       4       -       -       3",
        "",
        "DRIFT  no audit",
        " ? never  no audit yet: nothing was compared with a baseline. Make one:",
        "          distill audit-full",
        "",
        "RUNS  1 run",
        "   when   command             lines     sft    took  run_hash",
        "   06:00  run-all                12       4    2.0s  9f31c2d7",
    ]
    assert exit_code(status, NOW) == 0


def test_a_pane_is_that_of_the_screen(status: WorkspaceStatus) -> None:
    shown = replace(status, firewall=BREACH, rows=_broken_rows(status))
    for pane in (
        firewall_pane(BREACH, NOW, WIDTH),
        phases_pane(status.phases, NOW, WIDTH, 50),
        drift_pane(status.drift, NOW, WIDTH, 50),
    ):
        at = "\n".join([f"{pane.title}  {plain_text(pane.aside).strip()}".rstrip(), *texts(pane.lines)])
        assert at in "\n".join(status_lines(shown))


def test_a_breach_is_shown_with_its_first_offenders(status: WorkspaceStatus) -> None:
    lines = status_lines(replace(status, firewall=BREACH))
    at = lines.index("FIREWALL  live")
    assert lines[at + 1].split() == ["X", "BREACH", "7", "of", "2,764", "rows", "for", "4m"]
    assert lines[at + 3] == "     2762 label    says needs_human_review  run 0"
    assert lines[at + 10] == " cause: another writer"


def test_counts_that_do_not_balance_are_told(status: WorkspaceStatus) -> None:
    lines = status_lines(replace(status, rows=_broken_rows(status)))
    assert " X does not add up: 12 lines = 10 mapped + 1 skipped" in lines


def _broken_rows(status: WorkspaceStatus) -> RowCounts:
    return replace(status.rows, balances=(Balance("lines", 12, (("mapped", 10), ("skipped", 1))),))


def test_runs_stand_below_each_other_whatever_room_there_is(status: WorkspaceStatus) -> None:
    runs = tuple(replace(status.runs[0], pipeline_run_id=f"r{n}", sft=n) for n in range(9))
    lines = pane_lines("runs", replace(status, runs=runs), NOW)
    assert lines[0] == "RUNS  9 runs"
    assert len([text for text in lines if "run-all" in text]) == 5
    assert "sft rows, 9 runs" in lines[1]
    assert lines[-1] == " 4 older runs: distill runs"
    assert len(pane_lines("runs", replace(status, runs=runs), NOW, runs=9)) == 9 + 3


def test_who_holds_the_lock_and_what_git_says_are_on_top(status: WorkspaceStatus) -> None:
    lock = LockStatus(True, LIVE, 48213, "h", "jun", "audit-full", "r", NOW - 36)
    git = GitStatus(True, "main", "73f242e" + "0" * 33, True, "v1", None, LIVE, "no tag v1", True)
    first, second = status_lines(replace(status, lock=lock, git=git))[:2]
    assert first.startswith("night · main 73f242e dirty · tag v1 (no such tag) · ")
    assert second.endswith("lock held by jun (audit-full, pid 48213, 30s)")


def test_drift_rows_show_both_numbers_and_their_change(status: WorkspaceStatus) -> None:
    lines = (
        DriftLine("rows agbenchmark", "P2", 2555, 3675, 0.438, 14.2, "warn"),
        DriftLine("accept rate", "P3", 0.237, 0.227, -0.042, 1.8, "same"),
        DriftLine("gone", "P4", None, None, None, None, "unheard-of"),
    )
    shown = status_lines(
        replace(status, drift=DriftStatus(Origin("a", NOW - 3600, Freshness.FRESH), None, lines))
    )
    at = shown.index("DRIFT  1 warn · audit 1h ago")
    assert [text.split() for text in shown[at + 2 : at + 6]] == [
        ["!", "rows", "agbenchmark", "2,555", "3,675", "+44", "14.2", "-", "-"],
        ["rows", "agbenchmark,", "P2"],
        ["accept", "rate", "23.7%", "22.7%", "-4", "1.8", "-", "-"],
        ["?", "gone", "-", "-", "-", "-", "-", "-"],
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"firewall": BREACH}, 10),
        ({"firewall": BREACH, "answers": (answer("S1.P0.recon-doc"),)}, 10),
        ({"answers": (answer("S1.P4.sft-leak", Verdict.UNKNOWN),)}, 5),
        ({"answers": (answer("S1.P4.sft-leak", Verdict.UNKNOWN, nothing_yet=True),)}, 0),
        ({"answers": (answer("S1.P3.distribution", Verdict.UNKNOWN),)}, 5),
        ({"answers": (answer("S1.P3.distribution", Verdict.UNKNOWN, nothing_yet=True),)}, 0),
        ({"answers": (answer("S1.P3.distribution", Verdict.CLEAR, stale="touched"),)}, 5),
        ({"answers": (answer("S5.hash-mismatch"),)}, 1),
        ({"answers": (answer("S1.P0.recon-doc"), answer("S1.P1.schema", Verdict.UNKNOWN))}, 1),
        ({"answers": (answer("S2.drift"), answer("S1.P0.source-missing"))}, 0),
        ({"phases": (PhaseStatus("P3", "score", PhaseState.FAIL),)}, 1),
        ({"phases": (PhaseStatus("P3", "score", PhaseState.STALE),)}, 0),
    ],
)
def test_the_exit_code_is_that_of_what_is_known(
    status: WorkspaceStatus, changes: dict[str, Any], expected: int
) -> None:
    assert exit_code(replace(status, **changes), NOW) == expected


@given(text=st.text(max_size=30))
def test_no_control_character_of_the_data_reaches_a_line(text: str) -> None:
    found = Finding(text, text, 1, text, text, text)
    status = WorkspaceStatus(
        workspace=text,
        name=text,
        read_at=NOW,
        phases=(PhaseStatus("P3", "score", PhaseState.FAIL, LIVE, 1.0, text, (text,)),),
        rows=_rows(text),
        firewall=replace(BREACH, findings=(found,), detail=text, cause=text),
        drift=DriftStatus(LIVE, None, (DriftLine(text, "P2", 1, 2, 1, 1, text, causes=(text,)),), text),
        symptoms=(replace(symptom(Severity.ERROR), observed=text),),
        lock=LockStatus(True, LIVE, 1, text, text, text, text, NOW),
        git=GitStatus(True, text, text, True, text, None, LIVE, text),
        engine=EngineStatus("workspace", text, text, text, text),
        notes=(text,),
    )
    for line in status_lines(status):
        assert not re.search("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", line)


def _rows(text: str) -> RowCounts:
    return RowCounts(
        replace(LIVE, why=text),
        StreamCounts("total", evidence=1),
        (StreamCounts(text),),
        (ExportCounts("sft", 1, 1),),
    )


def test_the_data_form_holds_times_in_both_forms_and_only_json_types(status: WorkspaceStatus) -> None:
    data = as_data(replace(status, firewall=BREACH))
    assert json.loads(json.dumps(data)) == data
    assert data["read_at_utc"] == "2026-04-27T06:01:02Z"
    assert data["firewall"]["since_utc"] == "2026-04-27T05:56:39Z"
    assert data["rows"]["balances"][0]["holds"] is True


@pytest.mark.parametrize("freshness", list(Freshness))
def test_a_symptom_that_may_be_gone_by_now_says_so(tmp_path: Path, freshness: Freshness) -> None:
    seen = Origin("look", NOW - 60, freshness, "code or data were touched since")
    symptom = SymptomStatus("S1.P5.summary", Severity.ERROR, "not the file of its receipt", seen, "look")
    told = "\n".join(status_lines(replace(WorkspaceReader(tmp_path).read(NOW), symptoms=(symptom,))))
    is_told = "~ stale: code or data were touched since" in told
    assert is_told is (freshness not in (Freshness.FRESH, Freshness.AGEING))
