"""PURE: from check results to one exit code and one line.

Only required checks decide. A failed firewall check is the alarm, exit 10, and beats the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.contracts.check_index import AUDIT
from pipeline.contracts.checks import CheckResult, CheckStatus, DriftRow
from pipeline.contracts.faults import ExitCode, worst

_ALARMS = frozenset(spec.id for spec in AUDIT if spec.alarm)
_WORDS = {
    ExitCode.OK: "PASS",
    ExitCode.WARNINGS: "WARN",
    ExitCode.CHECK_FAILED: "FAIL",
    ExitCode.NOT_EVALUABLE: "ERROR",
    ExitCode.NOT_EVALUATED: "NOT EVALUATED",
    ExitCode.FIREWALL_BREACH: "BREACH",
}


def exit_code(results: Iterable[CheckResult]) -> int:
    """What a command that ran these checks ends with. No required check at all is NOT_EVALUATED."""
    return worst([_code(result) for result in results if result.required] or [ExitCode.NOT_EVALUATED])


def _code(result: CheckResult) -> ExitCode:
    match result.status:
        case CheckStatus.FAIL:
            return ExitCode.FIREWALL_BREACH if result.id in _ALARMS else ExitCode.CHECK_FAILED
        case CheckStatus.ERROR:
            return ExitCode.NOT_EVALUABLE
        case CheckStatus.NOT_EVALUATED:
            return ExitCode.NOT_EVALUATED
        case CheckStatus.PASS | CheckStatus.WARN | CheckStatus.INFO:
            return ExitCode.OK


def passed(results: Iterable[CheckResult]) -> tuple[int, int]:
    """How many required checks passed, and how many there are."""
    required = [result for result in results if result.required]
    good = sum(result.status in (CheckStatus.PASS, CheckStatus.WARN) for result in required)
    return good, len(required)


def verdict_line(
    command: str, results: Sequence[CheckResult], code: int, drift: Sequence[DriftRow] | None = ()
) -> str:
    """``audit-full: FAIL (exit 1) · 15/16 required checks passed · failed: P2.provenance``."""
    good, total = passed(results)
    word = _WORDS[ExitCode(code)] if code in _WORDS else "STOPPED"
    pieces = [f"{command}: {word} (exit {int(code)})", f"{good}/{total} required checks passed"]
    for label, status in (
        ("failed", CheckStatus.FAIL),
        ("error", CheckStatus.ERROR),
        ("not evaluated", CheckStatus.NOT_EVALUATED),
    ):
        names = [result.id for result in results if result.required and result.status is status]
        if names:
            pieces.append(f"{label}: {', '.join(names)}")
    if drift is None:
        pieces.append("drift was not measured")
    warnings = sum(row.warns for row in drift or ())
    if warnings:
        pieces.append(f"{warnings} drift {'warning' if warnings == 1 else 'warnings'}")
    return " · ".join(pieces)
