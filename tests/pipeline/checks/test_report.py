"""The report: data that says everything, a page made from it, one exit code and one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.checks import reference
from pipeline.checks.report import page, report_data, sparkline, write_report
from pipeline.checks.verdict import exit_code, passed, verdict_line
from pipeline.contracts import paths
from pipeline.contracts.check_index import ACCEPTANCE, AUDIT
from pipeline.contracts.checks import CheckResult, CheckStatus, DriftCause, DriftRow, DriftStatus, Example
from tests.pipeline.checks.results import drift_row, result

HOSTILE = Example(file="x|y\x1b[2J.jsonl", line=7, run_id="runs/1", text="<script> [a](http://b) `c`\n# d")
BAD = CheckResult(
    id="P2.provenance",
    phase="P2",
    required=True,
    status=CheckStatus.FAIL,
    examined=10,
    failed=1,
    threshold="0 failed",
    observed="1 failed",
    detail="other bytes",
    examples=(HOSTILE,),
    reproduce="distill audit-full --check P2.provenance",
    elapsed_seconds=0.25,
)


def report(*results: CheckResult, exit_code: int = 0, **more: Any) -> dict[str, Any]:
    return report_data(
        "audit-full",
        results,
        exit_code,
        started_at="2026-01-01T00:00:00Z",
        finished_at="2026-01-01T00:00:02Z",
        elapsed_seconds=2.0,
        **more,
    )


def test_failures_come_first_with_their_command_and_examples() -> None:
    text = page(report(result("P0.recon-doc", CheckStatus.PASS), BAD, exit_code=1))
    failures, phases = text.split("## Failures\n")[1].split("## Checks by phase")
    assert "### P2.provenance · fail · required" in failures
    assert "`distill audit-full --check P2.provenance`" in failures
    assert "runs/1" in failures
    assert "P0.recon-doc" not in failures
    assert phases.index("### P0") < phases.index("### P2")


def test_a_page_without_failures_says_so() -> None:
    assert "## Failures\n\nNone.\n" in page(report(result("P0.recon-doc", CheckStatus.PASS)))


def test_no_text_from_data_becomes_markup_or_reaches_a_terminal() -> None:
    text = page(report(BAD, exit_code=1))
    assert "\x1b" not in text
    assert "\\<script\\> \\[a\\](http://b) \\`c\\`⏎# d" in text
    assert "x\\|y\\\\x1b\\[2J.jsonl:7" in text


def test_both_files_are_written_and_agree(tmp_path: Path) -> None:
    data = report(BAD, exit_code=1, facts={"run_hash": "ab" * 32, "temp_root": "/kept/here"}, notes=["n"])
    write_report(tmp_path, paths.AUDIT_REPORT, data)
    read = json.loads((tmp_path / paths.AUDIT_DATA).read_bytes())
    assert read == data
    assert read["ok"] is False
    assert read["run_hash"] == "ab" * 32
    text = (tmp_path / paths.AUDIT_REPORT).read_text("utf-8")
    assert text == page(read)
    assert "temp root: /kept/here" in text
    assert "- n\n" in text


def test_the_drift_table_prints_every_row_and_the_thresholds() -> None:
    moved = drift_row(DriftStatus.WARN).model_copy(
        update={
            "trend": (1.0, 2.0, 3.0),
            "since": "2026-01-01",
            "anchor": 12.0,
            "causes": (DriftCause(dimension="stream", name="chats", baseline=10, current=5, share=1.0),),
        }
    )
    seen = drift_row(DriftStatus.WARN, "a known gap")
    text = page(report(drift=[moved, seen], facts={"drift_thresholds": {"warn_pct": 20.0, "min_z": 3.0}}))
    assert "Thresholds: warn_pct 20, min_z 3." in text
    assert "| rag_rows | P4 | 10 | 5 | -5 | -50.0 % | 4.0 | 12 | ▁▅█ | warn | 2026-01-01 |" in text
    assert "- rag_rows: stream chats 10 → 5 (+100 % of the change)" in text
    assert "| warn, dismissed |" in text
    assert "dismissed: a known gap" in text


def test_a_zero_baseline_shows_no_percentage() -> None:
    new = drift_row(DriftStatus.NEW).model_copy(update={"baseline": 0.0, "delta_ratio": None})
    assert "| 0 | 5 | +5 |  | 4.0 |" in page(report(drift=[new]))


@pytest.mark.parametrize(
    ("values", "bars"), [((), ""), ((3.0,), "▄"), ((1.0, 1.0), "▄▄"), ((0.0, 7.0, 14.0), "▁▅█")]
)
def test_a_sparkline_spans_lowest_to_highest(values: tuple[float, ...], bars: str) -> None:
    assert sparkline(values) == bars


# One exit code and one line for any set of results

S = CheckStatus


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        ([S.PASS, S.PASS], 0),
        ([S.PASS, S.FAIL], 1),
        ([S.ERROR, S.NOT_EVALUATED], 3),
        ([S.PASS, S.NOT_EVALUATED], 5),
        ([S.ERROR, S.FAIL, S.NOT_EVALUATED], 1),
        ([S.WARN, S.INFO], 0),
        ([], 5),
    ],
)
def test_the_worst_required_check_decides(statuses: list[CheckStatus], code: int) -> None:
    assert exit_code(result("P2.provenance", status) for status in statuses) == code


def test_a_failed_firewall_is_the_alarm_and_beats_all() -> None:
    results = [
        result("P4.sft-firewall", S.FAIL),
        result("P0.recon-doc", S.FAIL),
        result("P7.replay", S.ERROR),
    ]
    assert exit_code(results) == 10
    assert exit_code([result("P4.sft-firewall", S.ERROR)]) == 3


def test_informational_checks_decide_nothing() -> None:
    failed = result("P0.source-chats", S.FAIL, required=False)
    assert exit_code([result("P0.recon-doc", S.PASS), failed]) == 0
    assert exit_code([failed]) == 5


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (drift_row(DriftStatus.MISSING), " · 1 drift warning"),
        (drift_row(DriftStatus.NOISY), ""),
        (drift_row(DriftStatus.WARN, "seen"), ""),
    ],
)
def test_drift_that_was_dismissed_or_is_noise_is_no_warning(row: DriftRow, words: str) -> None:
    line = verdict_line("audit-full", [result("P0.recon-doc", S.PASS)], 0, [row])
    assert line == f"audit-full: PASS (exit 0) · 1/1 required checks passed{words}"


def test_the_line_names_what_is_wrong() -> None:
    results = [
        result("P0.recon-doc", S.PASS),
        result("P2.provenance", S.FAIL),
        result("P7.replay", S.ERROR),
        result("P4.sft-firewall", S.NOT_EVALUATED),
        result("P0.source-chats", S.WARN, required=False),
    ]
    assert passed(results) == (1, 4)
    assert verdict_line("audit-full", results, 1, [drift_row(DriftStatus.WARN)]) == (
        "audit-full: FAIL (exit 1) · 1/4 required checks passed · failed: P2.provenance"
        " · error: P7.replay · not evaluated: P4.sft-firewall · 1 drift warning"
    )


def test_a_clean_verdict_is_short() -> None:
    assert verdict_line("acceptance", [result("A01", S.PASS)], 0) == (
        "acceptance: PASS (exit 0) · 1/1 required checks passed"
    )


# ``docs/checks.md`` is what the index and the record of faults say


def test_every_check_stands_on_the_page() -> None:
    made = reference.page({})
    for spec in (*AUDIT, *ACCEPTANCE):
        assert f"| `{spec.id}` | {spec.title}" in made


def test_a_fault_is_one_line_with_a_letter_for_each_check_that_saw_it() -> None:
    faults = {
        "one": {"title": "one fault", "exit_code": 1, "checks": {"P2.conserves": "fail"}, "drift": []},
        "two": {"title": "a drift", "exit_code": 0, "checks": {"P7.replay": "error"}, "drift": ["rag_rows"]},
    }
    made = reference.page(faults)
    assert "| fault | `P2.conserves` | `P7.replay` | drift | exit |" in made
    assert "| one fault | F |  |  | 1 |" in made
    assert "| a drift |  | E | 1 warn | 0 |" in made
    assert "`P0.recon-doc`" in made.split("left out:")[1].split("\n")[0]
