"""P5.journals: what earlier audits read of the journals is still their beginning.

Rows that were appended since are free, by whatever hand. What is seen for the first time is remembered by the
audit, and held to that by the next one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.audit.failures import Failures
from pipeline.audit.workspace_view import WorkspaceView
from pipeline.checks.report import report_bytes
from pipeline.checks.runner import Outcome
from pipeline.contracts import paths
from pipeline.contracts.plurals import plural
from pipeline.reading import journal_memory
from pipeline.reading.journal_damage import line_of_damage
from pipeline.reading.journal_memory import Seen

_WAY_OUT = "If that was meant: distill baseline adopt --note WHY"


def journals(view: WorkspaceView) -> Outcome:
    """Examines files that were remembered, and those that are there for the first time."""
    failures = Failures()
    for name, why in view.broken_journals.items():
        failures.add(why, file=name, line=_line(view, name))
    known = {name for name, allowed in view.journal_memory.known.items() if allowed}
    new = set(journal_memory.guarded(view.workspace)) - known
    said = f"{plural(len(known), 'journal')} held to what was read, {len(new)} seen for the first time"
    return failures.outcome(len(known | new), f"{said}. {_WAY_OUT}" if failures.count else said)


def _line(view: WorkspaceView, name: str) -> int | None:
    with contextlib.suppress(OSError):  # which is why it is broken, and said
        return line_of_damage(view.workspace, name, view.journal_memory)
    return None


def remember_journals(view: WorkspaceView, report: Mapping[str, Any]) -> None:
    """Remember the journals as they are, before ``report`` is written. Raises OSError, StorageError.

    What is broken stays remembered as it was, and is said again, until somebody adopts it.
    """
    root, memory, broken = view.workspace, view.journal_memory, view.broken_journals
    known: dict[str, Sequence[Seen]] = {}
    for name, whole in journal_memory.guarded(root).items():
        if name not in broken:
            known[name] = _now(root, name, whole=whole)
    name = str(paths.AUDIT_DATA)
    before = _now(root, name, whole=True)
    # Whoever ends us in between leaves the old report.
    known[name] = (journal_memory.of_bytes(report_bytes(report), whole=True), *before)
    changed = {each: seen for each, seen in known.items() if seen and seen != memory.known.get(each)}
    journal_memory.remember(root, changed, by="audit-full")


def _now(root: Path, name: str, *, whole: bool) -> tuple[Seen, ...]:
    """The file as it is; nothing for one that is not there or cannot be read, of which a check has told."""
    try:
        return (journal_memory.see(root, name, whole=whole),)
    except OSError:
        return ()
