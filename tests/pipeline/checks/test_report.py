"""The report: data that says everything, and a page made from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.checks.report import page, report_data, sparkline, write_report
from pipeline.contracts import paths
from pipeline.contracts.checks import CheckResult, CheckStatus, DriftCause, DriftStatus, Example
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
