"""Check results for tests, as short as they can be said."""

from __future__ import annotations

from pipeline.contracts.checks import CheckResult, CheckStatus, DriftRow, DriftStatus


def result(check_id: str, status: CheckStatus, *, required: bool = True) -> CheckResult:
    return CheckResult(
        id=check_id, phase=check_id[:2], required=required, status=status, examined=1, failed=0
    )


def drift_row(status: DriftStatus, dismissed: str | None = None) -> DriftRow:
    return DriftRow(
        metric="rag_rows",
        phase="P4",
        baseline=10.0,
        current=5.0,
        delta_ratio=-0.5,
        z=4.0,
        status=status,
        dismissed=dismissed,
    )
