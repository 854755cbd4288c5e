from __future__ import annotations

import json
import os
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.workspace_reader import WorkspaceReader
from pipeline.contracts import paths
from pipeline.contracts.status import FirewallWord, Freshness, PhaseState, PhaseStatus, WorkspaceStatus
from tests.console.workspaces import (
    COUNTS,
    FINISHED,
    NOW,
    RUN_ID,
    add_run,
    audit,
    check,
    empty_workspace,
    workspace_after_a_run,
    write,
)

AUDIT_JSON = paths.AUDIT_REPORT.with_suffix(".json")
ACCEPTANCE_JSON = paths.ACCEPTANCE_REPORT.with_suffix(".json")


def read(root: Path, now: float = NOW) -> WorkspaceStatus:
    return WorkspaceReader(root).read(now)


def phase(status: WorkspaceStatus, phase_id: str) -> PhaseStatus:
    return next(known for known in status.phases if known.id == phase_id)


def symptoms(status: WorkspaceStatus) -> list[str]:
    return [symptom.id for symptom in status.symptoms]


def test_a_fresh_workspace_claims_nothing(tmp_path: Path) -> None:
    status = read(empty_workspace(tmp_path))
    assert [known.state for known in status.phases] == [PhaseState.OK] + [PhaseState.NEVER] * 9
    assert status.rows.total.evidence is None
    assert "distill run-all" in status.rows.origin.why
    assert status.firewall.state is FirewallWord.ABSENT
    assert "no audit yet" in status.drift.note
    assert status.symptoms == ()
    assert status.notes == ()
    assert status.name == "night"


def test_a_run_speaks_for_p2_to_p5_and_for_nothing_else(tmp_path: Path) -> None:
    status = read(workspace_after_a_run(tmp_path))
    words = {known.id: known.state for known in status.phases}
    assert [words[key] for key in ("P2", "P3", "P4", "P5")] == [PhaseState.OK] * 4
    assert [words[key] for key in ("P1", "P6", "P7", "P8", "P9")] == [PhaseState.NEVER] * 5
    assert phase(status, "P3").elapsed_seconds == 0.5
    assert phase(status, "P3").origin.as_of == FINISHED.timestamp()
    assert status.notes == ()


def test_counts_come_from_the_summary_with_their_age(tmp_path: Path) -> None:
    rows = read(workspace_after_a_run(tmp_path)).rows
    assert rows.total.accepted == COUNTS["accepted"]
    assert [stream.stream for stream in rows.streams] == ["taubench"]
    assert {export.name: (export.rows, export.refused) for export in rows.exports} == {
        "rag": (5, 5),
        "sft": (4, 6),
        "preference": (2, 6),
    }
    assert rows.origin.as_of == FINISHED.timestamp()
    assert rows.origin.freshness is Freshness.FRESH
    assert all(balance.holds for balance in rows.balances)
    assert {balance.name for balance in rows.balances} == {"lines", "scored", "sft", "rag"}


def test_an_unscanned_export_is_never_clear(tmp_path: Path) -> None:
    firewall = read(workspace_after_a_run(tmp_path)).firewall
    assert firewall.state is FirewallWord.STALE
    assert "CLEAR when it was exported" in firewall.detail


def test_a_source_that_grew_makes_the_run_stale(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    with (root / "data/_kb/taubench.jsonl").open("ab") as file:
        file.write(b'{"task": 13}\n')
    status = read(root)
    assert phase(status, "P2").state is PhaseState.STALE
    assert phase(status, "P2").origin.why == "data/_kb/taubench.jsonl changed"
    assert status.rows.origin.freshness is Freshness.STALE
    assert phase(status, "P5").state is PhaseState.OK
    assert symptoms(status) == []


def test_a_new_source_file_makes_the_run_stale(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    write(root, "data/_kb/taubench-2.jsonl", "{}\n")
    assert phase(read(root), "P2").origin.why == "data/_kb/taubench-2.jsonl is new"


def test_a_source_that_is_gone_is_no_change(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    (root / "data/_kb/taubench.jsonl").unlink()
    status = read(root)
    assert phase(status, "P2").state is PhaseState.OK
    assert symptoms(status) == ["S1.P0.source-missing"]


def test_an_export_that_grew_behind_the_engine_is_named(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    with (root / paths.SFT_EXPORT).open("ab") as file:
        file.write(b'{"id": "forbidden"}\n')
    status = read(root)
    assert phase(status, "P5").state is PhaseState.STALE
    assert phase(status, "P4").state is PhaseState.STALE
    assert symptoms(status) == ["S1.P5.summary"]
    assert str(paths.SFT_EXPORT) in status.symptoms[0].observed


def test_an_export_of_the_same_size_but_other_bytes_is_named(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    path = root / paths.SFT_EXPORT
    path.write_bytes(path.read_bytes().replace(b"x", b"y"))
    assert symptoms(read(root)) == ["S1.P5.summary"]


def test_a_copied_workspace_is_not_stale(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path / "one")
    copy = tmp_path / "two"
    shutil.copytree(root, copy, copy_function=shutil.copyfile)
    status = read(copy)
    assert phase(status, "P2").state is PhaseState.OK
    assert symptoms(status) == []


def test_a_quarantined_export_is_absent_and_no_damage(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    path = root / paths.SFT_EXPORT
    path.rename(path.with_name(path.name + ".QUARANTINED-1777345985"))
    status = read(root)
    assert status.firewall.state is FirewallWord.ABSENT
    assert status.firewall.detail == "no live file: quarantined"
    assert symptoms(status) == []


def test_an_edited_receipt_fails_p5(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    path = root / paths.receipts_folder(RUN_ID) / "score.json"
    path.write_text(path.read_text().replace("0.5", "0.4"))
    status = read(root)
    assert phase(status, "P5").state is PhaseState.FAIL
    assert symptoms(status) == ["S1.P5.summary"]


def test_a_verdict_older_than_a_day_and_two_hours_is_stale(tmp_path: Path) -> None:
    status = read(workspace_after_a_run(tmp_path), FINISHED.timestamp() + 27 * 3600)
    assert phase(status, "P3").state is PhaseState.STALE
    assert phase(status, "P3").origin.why == ""


def test_a_run_from_the_future_reads_clock(tmp_path: Path) -> None:
    status = read(workspace_after_a_run(tmp_path), FINISHED.timestamp() - 3600)
    assert phase(status, "P3").state is PhaseState.UNKNOWN
    assert phase(status, "P3").origin.freshness is Freshness.CLOCK


def test_a_failed_newer_run_fails_its_phases_and_the_good_rows_stand(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    later = FINISHED + timedelta(seconds=30)
    add_run(root, run_id="20260427T060030Z-aaaa", finished=later, ok=False, counts={"accepted": 0})
    status = read(root)
    assert phase(status, "P3").state is PhaseState.FAIL
    assert status.rows.total.accepted == COUNTS["accepted"]
    assert status.runs[0].ok is False
    assert status.runs[0].exit_code == 3


def test_a_run_that_was_cancelled_fails_no_phase(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    later = FINISHED + timedelta(seconds=30)
    add_run(root, run_id="20260427T060030Z-aaaa", finished=later, ok=False, exit_code=143)
    assert phase(read(root), "P3").state is PhaseState.OK


def test_an_interrupted_run_is_listed_as_such(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    write(root, paths.events_file("20260427T070000Z-bbbb"), "")
    row = read(root).runs[0]
    assert (row.finished, row.note) == (False, "ended before its commit")
    assert row.started == FINISHED.timestamp() + 3598


def test_exports_that_fell_to_nothing_raise_s4(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    later = FINISHED + timedelta(seconds=30)
    add_run(root, run_id="20260427T060030Z-aaaa", finished=later, counts={"sft": 0, "quarantined_sft": 10})
    assert symptoms(read(root)) == ["S4.empty-exports"]


@pytest.mark.parametrize(
    ("code", "fault", "expected"),
    [
        (1, "export_emptied", ["S4.empty-exports"]),
        (1, "evidence_invalid", []),
        (3, "source_unreadable", []),
        (143, None, []),
    ],
)
def test_a_refusal_to_empty_an_export_raises_s4_and_another_failure_does_not(
    tmp_path: Path, code: int, fault: str | None, expected: list[str]
) -> None:
    root = workspace_after_a_run(tmp_path)
    for number in (1, 2):
        later = FINISHED + timedelta(seconds=30 * number)
        run_id = f"20260427T06003{number}Z-aaaa"
        nothing = dict.fromkeys(COUNTS, 0)
        add_run(root, run_id=run_id, finished=later, ok=False, exit_code=code, counts=nothing)
        told = {"code": fault, "file": str(paths.PREFERENCE_EXPORT)} if fault else None
        write(root, paths.events_file(run_id), {"type": "run.finished", "ok": False, "fault": told})
    # The second refusal in a row is no less one: what stands is still the last good run's.
    assert symptoms(read(root)) == expected


def test_an_export_that_a_single_stage_does_not_write_is_not_empty(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    later = FINISHED + timedelta(seconds=30)
    counts = {"rag": 0, "sft": 0, "preference": 0}
    add_run(root, run_id="20260427T060030Z-aaaa", finished=later, counts=counts, command="score")
    assert "S4.empty-exports" not in symptoms(read(root))


def test_an_audit_speaks_for_its_phases_until_something_moves(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    later = FINISHED + timedelta(seconds=10)
    checks = [check("P1.versions-pinned"), check("P3.coverage", "fail"), check("P7.replay", "warn")]
    write(root, AUDIT_JSON, audit(checks, finished=later))
    status = read(root)
    assert phase(status, "P1").state is PhaseState.OK
    assert phase(status, "P3").state is PhaseState.FAIL
    assert phase(status, "P3").failed_checks == ("P3.coverage",)
    assert phase(status, "P7").state is PhaseState.WARN
    assert phase(status, "P8").state is PhaseState.FAIL
    assert symptoms(status) == ["S1.P3.distribution"]
    with (root / paths.SFT_EXPORT).open("ab") as file:
        file.write(b"{}\n")
    moved = read(root)
    assert phase(moved, "P1").state is PhaseState.STALE
    assert phase(moved, "P3").state is PhaseState.FAIL


def test_a_run_after_the_audit_makes_the_audit_stale(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    write(root, AUDIT_JSON, audit([check("P1.versions-pinned")], finished=FINISHED - timedelta(minutes=5)))
    status = read(root)
    assert phase(status, "P8").state is PhaseState.STALE
    assert phase(status, "P8").origin.why == "a run has finished since"


def test_an_audit_that_examined_nothing_is_no_pass(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    later = FINISHED + timedelta(seconds=10)
    write(root, AUDIT_JSON, audit([check("P1.versions-pinned", "not_evaluated")], finished=later))
    assert phase(read(root), "P8").state is PhaseState.UNKNOWN
    write(root, AUDIT_JSON, audit([], finished=later))
    assert phase(read(root), "P8").state is PhaseState.UNKNOWN


def test_acceptance_red_alone_is_a_divergence(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    report = {
        "finished_at": "2026-04-27T06:00:12Z",
        "checks": [{"id": "A13", "status": "fail", "required": True}],
    }
    write(root, ACCEPTANCE_JSON, report)
    status = read(root)
    assert phase(status, "P6").failed_checks == ("A13",)
    assert symptoms(status) == ["S3.divergence"]
    later = FINISHED + timedelta(seconds=10)
    write(root, AUDIT_JSON, audit([check("P3.coverage", "fail")], finished=later))
    assert symptoms(read(root)) == ["S1.P3.distribution", "S1.P6.acceptance"]


def test_drift_is_shown_flagged_first_and_raises_its_symptom(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    rows: list[dict[str, Any]] = [
        {
            "metric": "rows",
            "phase": "P2",
            "baseline": 9,
            "current": 10,
            "status": "same",
            "trend": [1, "x", 2.5],
        },
        {"metric": "skips", "phase": "P2", "baseline": 0, "current": None, "status": "missing"},
    ]
    write(root, AUDIT_JSON, audit([], finished=FINISHED + timedelta(seconds=10), drift=rows))
    status = read(root)
    assert [line.metric for line in status.drift.lines] == ["skips", "rows"]
    assert status.drift.lines[1].trend == (1.0, 2.5)
    assert symptoms(status) == ["S2.drift"]


def test_the_recon_doc_and_the_replay_log_are_looked_at(tmp_path: Path) -> None:
    root = empty_workspace(tmp_path)
    (root / paths.RECON_DOC).write_text("")
    write(root, paths.SETTINGS, "[rotation]\nreplay_log_mb = 0.00001\n")
    write(
        root,
        paths.REPLAY_RUNS,
        json.dumps({"validation_result": {"ok": False}, "recorded_at": "2026-04-27T06:00:00Z"}) + "\n",
    )
    status = read(root)
    assert phase(status, "P0").state is PhaseState.FAIL
    assert phase(status, "P7").state is PhaseState.FAIL
    assert symptoms(status) == ["S1.P0.recon-doc", "S6.replay-log", "S1.P7.replay"]


def test_a_release_with_a_failed_gate_fails_p9(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    gates = [{"name": "git_clean", "status": "pass"}, {"name": "tests", "status": "fail"}]
    write(root, paths.RELEASE_MANIFEST, {"released_at": "2026-04-27T06:00:10Z", "gates": gates})
    assert phase(read(root), "P9").failed_checks == ("tests",)


def test_a_workspace_that_is_gone_is_an_error_and_nothing_else_is(tmp_path: Path) -> None:
    reader = WorkspaceReader(workspace_after_a_run(tmp_path / "w"))
    reader.read(NOW)
    shutil.rmtree(tmp_path / "w")
    with pytest.raises(FileNotFoundError):
        reader.read(NOW)


def test_a_reader_that_is_asked_again_sees_what_is_new(tmp_path: Path) -> None:
    root = empty_workspace(tmp_path)
    reader = WorkspaceReader(root)
    assert reader.read(NOW).rows.total.evidence is None
    workspace_after_a_run(root)
    assert reader.read(NOW).rows.total.evidence == COUNTS["evidence"]


def test_an_unreadable_report_costs_its_pane_and_a_note(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    write(root, paths.summary_file(RUN_ID), b"\x00garbage")
    status = read(root)
    assert symptoms(status) == ["S1.P5.summary"]
    assert phase(status, "P5").state is PhaseState.FAIL
    assert any("summary.json cannot be read" in note for note in status.notes)
    assert status.git.note == "not a git repository"


def test_a_fifo_and_a_directory_in_place_of_reports_block_nothing(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    os.mkfifo(root / AUDIT_JSON)
    (root / ACCEPTANCE_JSON).mkdir()
    (root / paths.SETTINGS).unlink()
    os.mkfifo(root / paths.SETTINGS)
    status = read(root)
    assert len(status.notes) >= 2
    assert phase(status, "P3").state is PhaseState.OK


def test_a_receipt_that_points_out_of_the_workspace_is_not_followed(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    path = root / paths.summary_file(RUN_ID)
    summary = json.loads(path.read_text())
    summary["stages"][0]["receipt"] = "../../etc/passwd"
    summary["stages"][1]["receipt"] = "/etc/passwd"
    path.write_text(json.dumps(summary))
    observed = read(root).symptoms[0].observed
    assert observed == "materialize: the receipt's path is missing or leaves the workspace (+1 more)"


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_a_report_holds_the_status_is_made(tmp_path_factory: Any, data: st.DataObject) -> None:
    root = workspace_after_a_run(tmp_path_factory.mktemp("w"))
    reports = (
        paths.summary_file(RUN_ID),
        paths.receipts_folder(RUN_ID) / "export.json",
        AUDIT_JSON,
        ACCEPTANCE_JSON,
        paths.RELEASE_MANIFEST,
    )
    for relative in data.draw(st.sets(st.sampled_from(reports), min_size=1)):
        keys = (
            "checks",
            "stages",
            "counts",
            "streams",
            "gates",
            "drift",
            "firewall",
            "inputs",
            "outputs",
            "ok",
            "finished_at",
        )
        value = data.draw(_JSON | st.dictionaries(st.sampled_from(keys), _JSON))
        try:
            text = json.dumps(value)
        except ValueError:
            continue
        write(root, relative, data.draw(st.sampled_from((text.encode(), text.encode()[:-1], b""))))
    status = read(root)
    assert [known.id for known in status.phases] == [f"P{number}" for number in range(10)]
