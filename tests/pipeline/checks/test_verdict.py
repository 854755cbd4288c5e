"""One exit code and one line for any set of results."""

from __future__ import annotations

import pytest

from pipeline.checks.verdict import exit_code, passed, verdict_line
from pipeline.contracts.checks import CheckStatus, DriftRow, DriftStatus
from tests.pipeline.checks.results import drift_row, result

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
