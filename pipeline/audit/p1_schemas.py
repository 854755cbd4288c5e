"""P1: the schemas are the locked ones, and they take and refuse what they must."""

from __future__ import annotations

from pipeline.audit.workspace_view import WorkspaceView
from pipeline.checks.runner import Outcome
from pipeline.contracts.checks import CheckResult
from pipeline.schemas.checks import validators_hold as golden_rows_check
from pipeline.schemas.checks import versions_pinned as lock_check


def versions_pinned(_view: WorkspaceView) -> Outcome:
    return _outcome(lock_check())


def validators_hold(_view: WorkspaceView) -> Outcome:
    return _outcome(golden_rows_check())


def _outcome(result: CheckResult) -> Outcome:
    return Outcome(
        examined=result.examined,
        failed=result.failed,
        observed=result.observed or "",
        detail=result.detail,
        threshold=result.threshold or "0 failed",
        examples=result.examples,
        status=result.status,
    )
