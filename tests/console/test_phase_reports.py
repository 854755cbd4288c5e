"""Which phases audit, acceptance and release speak for, and for how long."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from console.reading.workspace_reader import WorkspaceReader
from console.state.drift_lines import cause_in_words
from pipeline.contracts import paths
from pipeline.contracts.status import Answer, Freshness, PhaseState, Verdict
from pipeline.reading.symptom_log import keep_looks
from tests.console.workspaces import (
    FINISHED,
    NOW,
    audit,
    check,
    iso,
    phase,
    read,
    symptoms,
    workspace_after_a_run,
    write,
)


def test_an_audit_speaks_for_its_phases_until_something_moves(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    later = FINISHED + timedelta(seconds=10)
    checks = [check("P1.versions-pinned"), check("P3.coverage", "fail"), check("P7.replay", "warn")]
    write(root, paths.AUDIT_DATA, audit(checks, finished=later))
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
    write(
        root, paths.AUDIT_DATA, audit([check("P1.versions-pinned")], finished=FINISHED - timedelta(minutes=5))
    )
    status = read(root)
    assert phase(status, "P8").state is PhaseState.STALE
    assert phase(status, "P8").origin.why == "a run has finished since"


def test_an_audit_that_examined_nothing_is_no_pass(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    later = FINISHED + timedelta(seconds=10)
    write(root, paths.AUDIT_DATA, audit([check("P1.versions-pinned", "not_evaluated")], finished=later))
    assert phase(read(root), "P8").state is PhaseState.UNKNOWN
    write(root, paths.AUDIT_DATA, audit([], finished=later))
    assert phase(read(root), "P8").state is PhaseState.UNKNOWN


def test_acceptance_red_alone_is_a_divergence(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    report = {
        "finished_at": "2026-04-27T06:00:12Z",
        "checks": [{"id": "A13", "status": "fail", "required": True}],
    }
    write(root, paths.ACCEPTANCE_DATA, report)
    status = read(root)
    assert phase(status, "P6").failed_checks == ("A13",)
    assert symptoms(status) == ["S3.divergence"]
    later = FINISHED + timedelta(seconds=10)
    write(root, paths.AUDIT_DATA, audit([check("P3.coverage", "fail")], finished=later))
    assert symptoms(read(root)) == ["S1.P6.acceptance", "S1.P3.distribution"]


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
    write(
        root,
        paths.AUDIT_DATA,
        audit([check("P1.versions-pinned")], finished=FINISHED + timedelta(seconds=10), drift=rows),
    )
    status = read(root)
    assert [line.metric for line in status.drift.lines] == ["skips", "rows"]
    assert status.drift.lines[1].trend == (1.0, 2.5)
    assert symptoms(status) == ["S2.drift"]


def test_a_release_with_a_failed_gate_fails_p9(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    gates = [{"name": "git_clean", "status": "pass"}, {"name": "tests", "status": "fail"}]
    write(root, paths.RELEASE_MANIFEST, {"released_at": "2026-04-27T06:00:10Z", "gates": gates})
    assert phase(read(root), "P9").failed_checks == ("tests",)


def test_a_failure_that_a_later_look_found_gone_is_old_and_no_failure(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    red = {"id": "A13", "status": "fail", "required": True}
    write(root, paths.ACCEPTANCE_DATA, {"finished_at": iso(FINISHED), "checks": [red]})
    write(root, paths.AUDIT_DATA, audit([check("P6.acceptance", "fail")], finished=FINISHED))
    assert [phase(read(root), name).state for name in ("P6", "P8")] == [PhaseState.FAIL, PhaseState.FAIL]
    assert symptoms(read(root)) == ["S3.divergence"]
    seen = NOW + 3600
    keep_looks(root, [Answer(Verdict.CLEAR, "no invariant fails", seen, id="S3.divergence")], seen)
    status = WorkspaceReader(root).read(seen + 5)
    assert symptoms(status) == []
    for name in ("P6", "P8"):
        found = phase(status, name)
        assert (found.state, found.origin.freshness) == (PhaseState.STALE, Freshness.STALE)
        assert "S3.divergence found it gone since" in found.origin.why
    write(root, paths.ACCEPTANCE_DATA, {"finished_at": iso(FINISHED + timedelta(hours=2)), "checks": [red]})
    later = WorkspaceReader(root).read(FINISHED.timestamp() + 7300)
    assert phase(later, "P6").state is PhaseState.FAIL


# Drift in words


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (
            {"dimension": "reason", "name": "too_long", "baseline": 1000, "current": 1234.5, "share": -0.25},
            "reason too_long 1,000 → 1,234.5, -25% of the change",
        ),
        ({"dimension": "stream", "name": "mint"}, "stream mint"),
        ({"name": 7, "share": "much", "baseline": True, "current": 1}, ""),
    ],
)
def test_a_cause_is_one_line_whatever_is_missing(cause: dict[str, Any], words: str) -> None:
    assert cause_in_words(cause) == words


def test_a_log_that_no_stream_reads_is_told_with_the_counts(tmp_path: Path) -> None:
    root = workspace_after_a_run(tmp_path)
    before = read(root).rows.unread_logs
    (root / paths.KNOWLEDGE_BASE / "quiz.jsonl").write_text('{"question": "2 + 2?"}\n')
    assert set(read(root).rows.unread_logs) - set(before) == {str(paths.KNOWLEDGE_BASE / "quiz.jsonl")}
