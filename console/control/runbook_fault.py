"""Whatever goes wrong in a wizard, as the three lines that an operator can use.

The runbook is imported when a wizard is first opened. It is code like any other and may be what
is broken; the console goes on without it.
"""

from __future__ import annotations

from pipeline.contracts.faults import Fault, OperatorError


def runbook_fault(error: BaseException) -> Fault:
    """The error's own fault, or what there is to say of a bug and of a broken import."""
    if isinstance(error, OperatorError):
        return error.fault
    what = "cannot be imported" if isinstance(error, ImportError | SyntaxError) else "failed"
    return Fault(
        "runbook_not_usable",
        f"The runbook {what}: {type(error).__name__}: {error}",
        "What the journal holds stands; nothing else was changed. Runs and the firewall's watch go on.",
        "b shows the commands to run by hand; distill doctor looks at the installation.",
    )
