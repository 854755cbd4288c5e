"""P1 tells what the schemas' own check found, word for word."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.audit import p1_schemas
from pipeline.checks.runner import Outcome
from pipeline.contracts.checks import CheckResult, CheckStatus, Example


def result(**changed: Any) -> CheckResult:
    known = {
        "id": "P1.x", "phase": "P1", "required": True, "status": CheckStatus.FAIL, "examined": 7, "failed": 2,
        "threshold": "all of them", "observed": "5 of 7", "detail": "two differ",
        "examples": (Example(text="sft"),),
    }  # fmt: skip
    return CheckResult(**{**known, **changed})


@pytest.mark.parametrize("check", ["versions_pinned", "validators_hold"])
def test_what_was_found_is_what_is_told(check: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"versions_pinned": "lock_check", "validators_hold": "golden_rows_check"}[check]
    view: Any = None
    monkeypatch.setattr(p1_schemas, asked, result)
    assert getattr(p1_schemas, check)(view) == Outcome(
        examined=7,
        failed=2,
        observed="5 of 7",
        detail="two differ",
        threshold="all of them",
        examples=(Example(text="sft"),),
        status=CheckStatus.FAIL,
    )
    monkeypatch.setattr(p1_schemas, asked, lambda: result(threshold=None, observed=None))
    found = getattr(p1_schemas, check)(view)
    assert (found.observed, found.threshold) == ("", "0 failed")
