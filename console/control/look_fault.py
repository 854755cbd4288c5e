"""What could not be read, and what a wizard met, as the three lines that an operator can use."""

from __future__ import annotations

import errno

from pipeline.contracts.faults import Fault, OperatorError

KEPT = "This console changed nothing and stopped no run."
_NEXT = {
    errno.EMFILE: "Give this shell more file descriptors (ulimit -n 1024), and start the console again.",
    errno.ENFILE: "The whole machine is out of file descriptors: see who holds them (lsof), then read again.",
    errno.EACCES: "See who may read it (ls -l), then read again with r.",
    errno.ENOMEM: "The machine is out of memory: see who holds it (free, top), then read again with r.",
}


def look_fault(error: BaseException, what: str) -> Fault:
    """``what`` begins the sentence: ``This list``."""
    if isinstance(error, OperatorError):
        return error.fault
    number = error.errno if isinstance(error, OSError) else None
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    place = f" ({error.filename})" if isinstance(error, OSError) and error.filename else ""
    kind = "" if number is not None else f"{type(error).__name__}: "
    return Fault(
        "not_readable",
        f"{what} cannot be read: {kind}{said}{place}.",
        KEPT,
        _NEXT.get(number or 0, "Read again with r; distill doctor looks at the installation."),
    )


def runbook_fault(error: BaseException) -> Fault:
    """Whatever goes wrong in a wizard. The runbook is imported when one is first opened, and is code like any
    other: it may be what is broken, and the console goes on without it.
    """
    if isinstance(error, OperatorError):
        return error.fault
    what = "cannot be imported" if isinstance(error, ImportError | SyntaxError) else "failed"
    return Fault(
        "runbook_not_usable",
        f"The runbook {what}: {type(error).__name__}: {error}",
        "What the journal holds stands; nothing else was changed. Runs and the firewall's watch go on.",
        "b shows the commands to run by hand; distill doctor looks at the installation.",
    )
