"""P4.sft-firewall: each answer of the firewall is a status of its own, with the places that it names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.audit import p4_firewall
from pipeline.checks.runner import Outcome, run_check
from pipeline.contracts.check_index import AUDIT
from pipeline.contracts.checks import CheckStatus
from pipeline.platform.firewall import Absent, Answer, Breach, Clear, Report, Unknown

SPEC = next(each for each in AUDIT if each.id == "P4.sft-firewall")


def finding(line: int) -> dict[str, Any]:
    return {
        "file": "exports/sft/x.jsonl",
        "line": line,
        "run_id": f"r{line}",
        "wall": "label",
        "detail": "bad",
    }


def said(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> Outcome:
    monkeypatch.setattr(p4_firewall, "ask_firewall", lambda _workspace: answer)
    return p4_firewall.sft_firewall(Path("/nowhere"))


def test_a_breach_names_ten_places_and_counts_all(monkeypatch: pytest.MonkeyPatch) -> None:
    report = Report(
        rows_read=40,
        forbidden_rows=12,
        forbidden_files=2,
        findings_count=14,
        by_wall={"label": 12, "built": 2},
        findings=tuple(finding(line) for line in range(1, 13)),
        cause="stale_export",
        detail="read once",
    )
    outcome = said(monkeypatch, Breach(report))
    assert (outcome.status, outcome.examined, outcome.failed) == (CheckStatus.FAIL, 40, 14)
    assert outcome.observed.startswith("BREACH, ")
    assert [example.line for example in outcome.examples] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    first = outcome.examples[0]
    assert (first.file, first.run_id, first.text) == ("exports/sft/x.jsonl", "r1", "label: bad")
    assert (
        outcome.detail == "40 rows read; findings by wall: label 12, built 2; read once; cause: stale_export"
    )


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (Clear(Report(rows_read=3)), CheckStatus.PASS),
        (Clear(Report(rows_read=0)), CheckStatus.NOT_EVALUATED),
        (Absent(Report()), CheckStatus.NOT_EVALUATED),
        (Unknown("it hangs"), CheckStatus.ERROR),
        (Unknown("it hangs", Report(rows_read=3)), CheckStatus.ERROR),
        (Breach(Report(rows_read=3, forbidden_rows=1)), CheckStatus.FAIL),
        (Breach(Report(rows_read=0, forbidden_files=1)), CheckStatus.FAIL),
    ],
)
def test_only_clear_with_rows_passes(
    monkeypatch: pytest.MonkeyPatch, answer: Answer, status: CheckStatus
) -> None:
    result = run_check(SPEC, lambda: said(monkeypatch, answer))
    assert result.status is status
    if isinstance(answer, Unknown):
        assert "it hangs" in result.detail
