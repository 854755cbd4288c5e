"""A gate's report is believed only whole, from this engine, and with 22 passes."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.audit.p6_acceptance import handed_on, judged
from pipeline.checks.runner import result_of, run_check
from pipeline.contracts.check_index import AUDIT
from pipeline.contracts.checks import CheckStatus
from tests.pipeline.audit.audited import passing_acceptance

SPEC = next(spec for spec in AUDIT if spec.id == "P6.acceptance")


@pytest.fixture
def report(tmp_path: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(passing_acceptance(tmp_path / "a.json").read_bytes())
    return data


def status_of(report: dict[str, Any]) -> CheckStatus:
    return result_of(SPEC, judged(report)).status


def test_twenty_two_passes_pass(report: dict[str, Any]) -> None:
    outcome = judged(report)
    assert (outcome.examined, outcome.failed, outcome.observed) == (22, 0, "22/22")
    assert status_of(report) is CheckStatus.PASS


def test_one_failed_invariant_fails_and_is_named(report: dict[str, Any]) -> None:
    report["checks"][12] = {"id": "A13", "status": "fail", "detail": "a rejected run in SFT"}
    report["temp_root"] = "/kept/root"
    outcome = judged(report)
    assert status_of(report) is CheckStatus.FAIL
    assert "failed: A13" in outcome.detail
    assert "/kept/root" in outcome.detail
    assert outcome.examples[0].text == "A13: a rejected run in SFT"


def test_an_invariant_that_could_not_be_evaluated_is_an_error(report: dict[str, Any]) -> None:
    report["checks"][12]["status"] = "error"
    assert status_of(report) is CheckStatus.ERROR
    report["checks"][3]["status"] = "fail"
    assert status_of(report) is CheckStatus.FAIL


def test_a_part_of_the_gate_is_not_the_gate(report: dict[str, Any]) -> None:
    report["checks"].pop()
    assert status_of(report) is CheckStatus.NOT_EVALUATED


def test_the_report_of_another_engine_proves_nothing(report: dict[str, Any]) -> None:
    report["engine"]["digest"] = "0" * 64
    assert status_of(report) is CheckStatus.FAIL
    report["engine"] = None
    assert status_of(report) is CheckStatus.FAIL


@pytest.mark.parametrize("damage", [{"kind": "audit-full"}, {"checks": None}, {"checks": [1, {"id": []}]}])
def test_what_is_no_report_of_the_gate_never_passes(report: dict[str, Any], damage: dict[str, Any]) -> None:
    assert status_of({**report, **damage}) is not CheckStatus.PASS


def test_a_report_that_is_missing_or_garbled_is_an_error(tmp_path: Path) -> None:
    garbled = tmp_path / "garbled.json"
    garbled.write_bytes(b"[]")
    for path in (tmp_path / "missing.json", garbled):
        result = run_check(SPEC, functools.partial(handed_on, path))
        assert result.status is CheckStatus.ERROR
        assert path.name in result.detail
