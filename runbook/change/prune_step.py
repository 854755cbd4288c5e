"""A plan's step that deletes the originals of a resolved incident, and what its journal says of it.

The incident that loses them is told first: its journal says that they are gone, by whom and why, before
the first one goes. A process that is killed in between has deleted some; the step goes on with the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from pipeline.contracts.incidents import IncidentEntry
from pipeline.contracts.plurals import plural
from runbook.change import files
from runbook.change.applied import StepAtWork
from runbook.change.incident import Incident
from runbook.change.plan import ABSENT, FileState, PruneKept

PRUNED = "pruned"


def prune_kept(work: StepAtWork, step: PruneKept) -> None:
    """Intent, a note in the pruned incident, delete, outcome. Raises StorageError, WorkspaceLockedError."""
    root = work.workspace.root
    before = {path: files.state_of(root, path) for path in step.before}
    work.intend(step.type, before, dict.fromkeys(before, ABSENT))
    pruned = Incident(root, PurePosixPath(step.path).name)
    with pruned.lease():
        _note(work, pruned, sorted(step.before))
        work.boundary(f"noted:{work.index}")
        for path, state in before.items():
            if not state.is_absent:
                files.remove(root, path)
    work.boundary(f"changed:{work.index}")
    _record(work, before, settled=False)


def settle_prune(work: StepAtWork, step: PruneKept) -> str:
    """Close the intent of a step whose end nobody saw: done where every file is gone."""
    done = _record(work, dict(step.before), settled=True)
    return "done" if done else "not done"


def _record(work: StepAtWork, before: dict[str, FileState], *, settled: bool) -> bool:
    found = {path: files.state_of(work.workspace.root, path) for path in before}
    left = sum(not state.is_absent for state in found.values())
    said = f"still there: {left} of {plural(len(found), 'original')}" if left else ""
    work.record(before, found, (), done=not left, said=said, settled=settled)
    return not left


def _note(work: StepAtWork, pruned: Incident, paths: Sequence[str]) -> None:
    entries = pruned.journal.entries()
    if any(entry.plan_hash == work.plan_hash and PRUNED in entry.detail for entry in entries):
        return
    consent = next(
        entry
        for entry in reversed(work.incident.journal.entries())
        if entry.kind == "consent" and entry.plan_hash == work.plan_hash
    )
    pruned.journal.append(
        "note",
        entries[-1].state,
        plan_hash=work.plan_hash,
        reason=consent.reason,
        detail={PRUNED: list(paths), "by_incident": work.incident.id},
    )


def pruned_since(entries: Sequence[IncidentEntry], plan_hash: str) -> IncidentEntry | None:
    """The note that the originals of the plan are gone; None while they are kept."""
    seen = False
    for entry in entries:
        seen = seen or (entry.kind == "outcome" and entry.plan_hash == plan_hash)
        if seen and entry.kind == "note" and PRUNED in entry.detail:
            return entry
    return None
