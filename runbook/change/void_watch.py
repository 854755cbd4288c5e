"""Whether a plan still holds, asked often and cheaply.

Files are hashed only when their size, time or inode moved since they were last found as the plan
expects them: an export of gigabytes is not read again and again while somebody thinks.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline.contracts.faults import OperatorError
from runbook.change.applied import Applied, expected_states
from runbook.change.apply import refuse_when_changed
from runbook.change.command_step import present
from runbook.change.plan import Plan, RunCommand

Signature = tuple[tuple[str, int, int, int], ...]


class VoidWatch:
    """Watches the files of one plan at a time."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: tuple[str, Signature] | None = None
        self._why = ""

    def forget(self) -> None:
        """Look at every byte again the next time."""
        self._known = None

    def trust(self, plan: Plan, applied: Applied) -> None:
        """The plan was made from these files just now; they are hashed again before it is agreed to."""
        self._known, self._why = (plan.hash, tuple(self._signature(plan, applied))), ""

    def why(self, plan: Plan, applied: Applied) -> str:
        """Why the plan is void; empty while it holds."""
        now = plan.hash, tuple(self._signature(plan, applied))
        if now != self._known:
            self._known, self._why = now, self._judge(plan, applied)
        return self._why

    def _judge(self, plan: Plan, applied: Applied) -> str:
        try:
            refuse_when_changed(self._root, plan, applied)
        except OperatorError as error:
            return error.fault.what_happened
        return ""

    def _signature(self, plan: Plan, applied: Applied) -> Iterator[tuple[str, int, int, int]]:
        names = dict.fromkeys(expected_states(plan, applied))
        for step in plan.steps:
            if isinstance(step, RunCommand):
                names |= dict.fromkeys(present(self._root, step))
        for name in sorted(names):
            try:
                found = (self._root / name).stat(follow_symlinks=False)
            except OSError:
                yield name, -1, -1, -1
            else:
                yield name, found.st_size, found.st_mtime_ns, found.st_ino
