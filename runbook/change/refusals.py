"""The runbook's own refusals, as faults an operator can use."""

from __future__ import annotations

from pipeline.contracts.faults import ExitCode, OperatorError
from pipeline.platform.git import GitError

NOTHING_CHANGED = "Nothing was changed."


class RefusedError(OperatorError):
    """What was asked for is not done here, whoever consents."""

    exit_code = ExitCode.USAGE


class PlanVoidError(OperatorError):
    """The world moved since the plan was made; a new one needs a new consent."""

    exit_code = ExitCode.APPROVAL_NEEDED


class ApprovalNeededError(OperatorError):
    """There is a plan, and nobody has consented to it."""

    exit_code = ExitCode.APPROVAL_NEEDED


def why_failed(error: Exception) -> str:
    """What whoever looked for something met instead."""
    if isinstance(error, OperatorError):
        return error.fault.what_happened
    if isinstance(error, GitError):
        return str(error)
    return f"{type(error).__name__}: {error}"


def refused(code: str, what_happened: str, do_next: str, file: str | None = None) -> RefusedError:
    return RefusedError.of(code, what_happened, NOTHING_CHANGED, do_next, file=file)
