"""The N-th operation of a command fails, for N = 1, 2, 3 … until none fails any more."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from pathlib import Path

from tests.faults import shim
from tests.faults.trial import Subject, copied, run, unfinished, what_is_wrong

_FILLING = shim.WRITE | shim.SYNC | shim.RENAME | shim.CREATE | shim.LINK | shim.MKDIR
_CHANGES = _FILLING | shim.UNLINK
_ALL = _CHANGES | shim.OPEN


@dataclass(frozen=True)
class Kind:
    """A way in which a disk fails. ``error`` 0 is a short write."""

    name: str
    error: int
    operations: int
    for_good: bool


KINDS = {
    kind.name: kind
    for kind in (
        Kind("disk full, once", errno.ENOSPC, _FILLING, for_good=False),
        Kind("disk full", errno.ENOSPC, _FILLING, for_good=True),
        Kind("I/O error, once", errno.EIO, _ALL, for_good=False),
        Kind("I/O errors", errno.EIO, _ALL, for_good=True),
        Kind("no permission, once", errno.EACCES, _ALL, for_good=False),
        Kind("read-only", errno.EROFS, _CHANGES, for_good=True),
        Kind("short write", 0, shim.WRITE, for_good=False),
        Kind("short writes", 0, shim.WRITE, for_good=True),
    )
}


def operations_of(subject: Subject, kind: Kind, disk: shim.FaultyDisk, folder: Path) -> int:
    """How many operations of the kind an undisturbed run has."""
    root = copied(subject.start, folder / "trial")
    with disk.armed(root, kind.operations, 0, kind.error):
        run(subject.argv, root, folder / "output")
    return disk.counted


def fault_trial(
    subject: Subject, kind: Kind, number: int, disk: shim.FaultyDisk, folder: Path
) -> tuple[str, list[str]]:
    """The operation that failed, empty where the run had fewer; and what that broke."""
    root = copied(subject.start, folder / "trial")
    with disk.armed(root, kind.operations, number, kind.error, for_good=kind.for_good):
        ended = run(subject.argv, root, folder / "output")
    if not disk.failed:
        return "", []
    operation = disk.first
    wrong = what_is_wrong(subject, root, ended, folder / "settled", killed=False)
    if wrong and ended.code == subject.ends_with and _is_named(operation, ended.text):
        wrong = []  # a source that could not be read is left out, and said so; the next run has it again
        return operation, unfinished(subject, root, folder / "output")
    if ended.code != subject.ends_with:
        wrong += unfinished(subject, root, folder / "output")
    return operation, wrong


def _is_named(operation: str, text: str) -> bool:
    kind, _, name = operation.partition(" ")
    return kind == "open" and name.startswith("/data/_kb/") and Path(name).name in text
