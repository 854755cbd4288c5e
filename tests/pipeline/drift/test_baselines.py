"""The baseline file: every kind of row, rows by hand, torn and damaged ones, and decisions."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.contracts import paths
from pipeline.contracts.checks import DriftRow, DriftStatus
from pipeline.contracts.faults import InputError, IntegrityError, SettingsError
from pipeline.drift.baselines import append, read_baselines
from pipeline.drift.compare import compare
from pipeline.drift.decisions import Decision, baseline_row, decide
from pipeline.drift.measure import measure, phase_of_metric
from pipeline.settings.load import load_settings
from tests.pipeline.engine.workspaces import engine, rows


def seed(workspace: Path, **values: float) -> None:
    """A seed of what is measured, with ``values`` in place of some."""
    metrics = measure(workspace, load_settings(workspace).settings)
    metrics.values.update(values)
    append(workspace, baseline_row(workspace, metrics, "seed"))


def report_audit(workspace: Path) -> list[DriftRow]:
    """Leave the drift part of an audit report, as the audit writes it."""
    settings = load_settings(workspace).settings
    table = compare(measure(workspace, settings), read_baselines(workspace), settings.drift)
    report = workspace / paths.AUDIT_DATA
    report.write_text(json.dumps({"drift": [row.model_dump(mode="json") for row in table]}), encoding="utf-8")
    return table


def by_hand(workspace: Path, row: dict[str, Any]) -> None:
    with (workspace / paths.AUDIT_BASELINES).open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def test_metrics_are_counted_from_the_files(workspace: Path) -> None:
    metrics = measure(workspace, load_settings(workspace).settings)
    assert metrics.values["evidence_rows"] == 122
    assert metrics.values["skips"] == 7
    assert metrics.values["duplicates"] == 5
    assert metrics.values["sft_rows"] == len(rows(workspace, paths.SFT_EXPORT))
    assert metrics.values["acceptance_rate"] == metrics.values["category.accepted"] / 122
    streams = {part: count for part, count in metrics.breakdown["evidence_rows"].items() if "stream:" in part}
    assert sum(streams.values()) == 122


def test_a_seed_sets_every_value_and_its_anchor(workspace: Path) -> None:
    seed(workspace)
    baselines = read_baselines(workspace)
    assert baselines.values["evidence_rows"].value == baselines.anchors["evidence_rows"] == 122


def test_a_passing_audit_moves_the_baseline_but_not_the_anchor(workspace: Path) -> None:
    seed(workspace, evidence_rows=110)
    metrics = measure(workspace, load_settings(workspace).settings)
    append(workspace, baseline_row(workspace, metrics, "passed"))
    baselines = read_baselines(workspace)
    assert baselines.values["evidence_rows"].value == 122
    assert baselines.anchors["evidence_rows"] == 110
    assert baselines.history["evidence_rows"] == [110, 122]


def test_a_row_by_hand_with_notes_and_metrics_accepts_those_values(workspace: Path) -> None:
    seed(workspace, evidence_rows=10)
    by_hand(workspace, {"notes": "the new agents are meant", "metrics": {"evidence_rows": 122}})
    baselines = read_baselines(workspace)
    assert baselines.values["evidence_rows"].value == 122
    assert baselines.values["skips"].value == 7
    assert baselines.problems == []


def test_a_row_by_hand_with_notes_alone_accepts_the_last_audits_values(workspace: Path) -> None:
    seed(workspace, evidence_rows=10, skips=1)
    report_audit(workspace)
    by_hand(workspace, {"notes": "all of it is meant"})
    baselines = read_baselines(workspace)
    assert (baselines.values["evidence_rows"].value, baselines.values["skips"].value) == (122, 7)


def test_a_row_by_hand_without_notes_is_passed_over_and_reported(workspace: Path) -> None:
    seed(workspace, evidence_rows=10)
    by_hand(workspace, {"metrics": {"evidence_rows": 122}})
    baselines = read_baselines(workspace)
    assert baselines.values["evidence_rows"].value == 10
    assert "no notes" in baselines.problems[0]


def test_torn_and_damaged_rows_are_reported_and_survived_at_every_byte(workspace: Path) -> None:
    seed(workspace, evidence_rows=10)
    whole = (workspace / paths.AUDIT_BASELINES).read_bytes()
    last = b'{"notes": "n", "metrics": {"evidence_rows": 122}}\n'
    for cut in range(1, len(last) - 2):
        (workspace / paths.AUDIT_BASELINES).write_bytes(whole + last[:cut])
        baselines = read_baselines(workspace)
        assert baselines.values["evidence_rows"].value == 10
        assert len(baselines.problems) == 1
    append(
        workspace, baseline_row(workspace, measure(workspace, load_settings(workspace).settings), "passed")
    )
    assert read_baselines(workspace).values["evidence_rows"].value == 122


@pytest.mark.parametrize(
    "line", [b"[1]", b'"x"', b"\xff\xfe", b'{"kind":"accept","metrics":{"skips":"many"}}', b"{}"]
)
def test_rubbish_changes_no_value(workspace: Path, line: bytes) -> None:
    seed(workspace)
    before = read_baselines(workspace).values
    with (workspace / paths.AUDIT_BASELINES).open("ab") as file:
        file.write(line + b"\n")
    assert read_baselines(workspace).values == before


def test_an_accept_needs_a_note_and_an_audit_and_moves_the_anchor(workspace: Path) -> None:
    settings = load_settings(workspace).settings
    with pytest.raises(SettingsError):
        decide(workspace, settings, "accept", ["evidence_rows"], " ")
    with pytest.raises(InputError):
        decide(workspace, settings, "accept", ["evidence_rows"], "why")
    seed(workspace, evidence_rows=10)
    report_audit(workspace)
    row = decide(workspace, settings, "accept", [], "more agents log here now")
    assert row["decided_metrics"] == ["evidence_rows"]
    assert row["actor"]
    baselines = read_baselines(workspace)
    assert baselines.anchors["evidence_rows"] == baselines.values["evidence_rows"].value == 122


def test_a_decision_is_refused_when_the_value_has_moved_since(workspace: Path) -> None:
    seed(workspace, evidence_rows=10)
    report_audit(workspace)
    evidence = workspace / paths.evidence_file("runs")
    evidence.write_bytes(b"".join(evidence.read_bytes().splitlines(keepends=True)[:-1]))
    before = (workspace / paths.AUDIT_BASELINES).read_bytes()
    with pytest.raises(IntegrityError) as caught:
        decide(workspace, load_settings(workspace).settings, "accept", ["evidence_rows"], "why")
    assert caught.value.fault.code == "value_moved"
    assert (workspace / paths.AUDIT_BASELINES).read_bytes() == before


def test_a_dismissal_holds_once_for_the_value_seen(workspace: Path) -> None:
    seed(workspace, evidence_rows=10)
    report_audit(workspace)
    decide(workspace, load_settings(workspace).settings, "dismiss", ["evidence_rows"], "a test load")
    table = {row.metric: row for row in report_audit(workspace)}
    assert table["evidence_rows"].dismissed == "a test load"
    assert table["evidence_rows"].baseline == 10


GONE = "stream.old_site.rows"


@pytest.mark.parametrize("decision", ["accept", "dismiss"])
@pytest.mark.parametrize("names", [[], [GONE]])
def test_a_metric_that_is_gone_can_be_decided(workspace: Path, decision: Decision, names: list[str]) -> None:
    seed(workspace, **{GONE: 40})
    before = {row.metric: row for row in report_audit(workspace)}[GONE]
    assert (before.status, before.warns, before.phase) == (DriftStatus.MISSING, True, "P2")
    row = decide(workspace, load_settings(workspace).settings, decision, names, "the site moved away")
    assert row["decided_metrics"] == [GONE]
    table = report_audit(workspace)
    assert not any(row.warns for row in table)
    told = [row.dismissed for row in table if row.metric == GONE]
    assert told == (["the site moved away"] if decision == "dismiss" else [])
    # The next passing audit follows, and what comes back later is a new metric with nothing decided.
    metrics = measure(workspace, load_settings(workspace).settings)
    append(workspace, baseline_row(workspace, metrics, "passed"))
    baselines = read_baselines(workspace)
    assert GONE not in baselines.values
    assert GONE not in baselines.dismissed


def test_a_dismissed_metric_that_came_back_and_is_gone_again_warns_again(workspace: Path) -> None:
    seed(workspace, **{GONE: 40})
    report_audit(workspace)
    decide(workspace, load_settings(workspace).settings, "dismiss", [GONE], "its disk is away")
    seed(workspace, **{GONE: 41})
    assert {row.metric: row.warns for row in report_audit(workspace)}[GONE]


def test_a_value_that_was_dismissed_is_not_the_metric_that_is_gone(workspace: Path) -> None:
    seed(workspace, **{GONE: 40})
    metrics = measure(workspace, load_settings(workspace).settings)
    metrics.values[GONE] = 3
    append(
        workspace, baseline_row(workspace, metrics, "dismiss", names=[GONE], notes="few logs", actor="mara")
    )
    assert {row.metric: row.warns for row in report_audit(workspace)}[GONE]


def test_a_row_by_hand_with_notes_alone_accepts_that_a_metric_is_gone(workspace: Path) -> None:
    seed(workspace, **{GONE: 40})
    report_audit(workspace)
    by_hand(workspace, {"notes": "the site moved away"})
    assert GONE not in read_baselines(workspace).values
    report_audit(workspace)
    assert GONE not in read_baselines(workspace).values


def test_the_command_says_that_it_decided_about_a_metric_that_is_gone(workspace: Path) -> None:
    seed(workspace, **{GONE: 40})
    report_audit(workspace)
    decided = engine(workspace, "baseline", "dismiss", "--metric", GONE, "--note", "its disk is away")
    assert decided.stdout.split() == ["dismissed", GONE, "gone", "its", "disk", "is", "away"]
    assert "gone" in engine(workspace, "baseline", "list").stdout
    listed = json.loads(engine(workspace, "baseline", "list", "--json").stdout)
    assert listed["dismissed"][GONE] == {"value": None, "note": "its disk is away"}


def test_a_metric_that_is_gone_is_of_the_phase_that_measures_it(workspace: Path) -> None:
    metrics = measure(workspace, load_settings(workspace).settings)
    assert {name: phase_of_metric(name) for name in metrics.values} == metrics.phases


def test_a_revoked_row_does_not_count(workspace: Path) -> None:
    seed(workspace, evidence_rows=10)
    report_audit(workspace)
    decide(workspace, load_settings(workspace).settings, "accept", ["evidence_rows"], "why")
    line = (workspace / paths.AUDIT_BASELINES).read_bytes().splitlines()[-1]
    metrics = measure(workspace, load_settings(workspace).settings)
    undo = baseline_row(workspace, metrics, "revoke", names=[], notes="taken back", actor="mara")
    append(workspace, {**undo, "revokes": hashlib.sha256(line).hexdigest()})
    assert read_baselines(workspace).values["evidence_rows"].value == 10


def test_the_commands_list_and_refuse_in_three_lines(workspace: Path) -> None:
    assert "no baseline yet" in engine(workspace, "baseline", "list").stdout
    refused = engine(workspace, "baseline", "accept", "--note", "x")
    assert refused.returncode == 3
    assert refused.stderr.splitlines()[2].startswith("do next        Make one: distill audit-full")
    seed(workspace)
    listed = json.loads(engine(workspace, "baseline", "list", "--json").stdout)
    assert listed["values"]["evidence_rows"]["value"] == 122
