"""Prune: delete the originals that resolved incidents keep, to have their disk space back.

The one action without a way back. The record stays: journal, page, what commands printed.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterable
from pathlib import Path

from pipeline.contracts import paths
from pipeline.contracts.faults import OperatorError
from pipeline.contracts.plurals import plural
from pipeline.reading.sizes import size_words
from runbook.change.incident import PACKED, Incident, known_incidents
from runbook.change.journal import KEPT
from runbook.change.plan import Draft, PruneKept
from runbook.change.planning import Planning
from runbook.change.refusals import RefusedError, refused

_BLOCK_BYTES = 512
NO_WAY_BACK = "There is none: what these incidents changed cannot be undone by distill any more."


def prunable(root: Path) -> list[str]:
    """Resolved incidents that still keep originals, oldest first; one with a broken record is none."""
    found = []
    for incident_id in known_incidents(root):
        try:
            if originals_of(Incident(root, incident_id)):
                found.append(incident_id)
        except RefusedError:
            continue
    return found


def originals_of(incident: Incident) -> list[str]:
    """Files, from the root, that hold what its plans replaced; printed output and new content are none.

    Raises RefusedError for an incident that is not resolved or whose journal cannot be read.
    """
    try:
        entries = incident.journal.entries()
        state = entries[-1].state if entries else "detected"
    except (OperatorError, ValueError) as error:
        raise refused(
            "incident_unreadable",
            f"The journal of {incident.id} cannot be read.",
            f"Look at it: distill incident verify {incident.id}",
        ) from error
    if state != "resolved":
        raise refused(
            "incident_not_resolved",
            f"{incident.id} is {state.replace('_', ' ')}: undo may need its originals.",
            "Resolve it first, or name resolved ones: distill incident list",
        )
    digests = {digest for entry in entries if entry.kind == "intent" for digest in entry.inputs.values()}
    folder = paths.INCIDENTS / incident.id / KEPT
    names = (f"{digest}{ending}" for digest in digests if digest for ending in ("", PACKED))
    return sorted(str(folder / name) for name in names if (incident.root / folder / name).is_file())


def freed_bytes(root: Path, files: Iterable[str]) -> int:
    """What deleting them gives back to the disk; a file with a second link gives nothing."""
    status = [(root / path).stat(follow_symlinks=False) for path in files]
    return sum(each.st_blocks * _BLOCK_BYTES for each in status if each.st_nlink == 1)


def title_of(incident_ids: Iterable[str]) -> str:
    """Two prunes of the same incidents are the same; of others, others."""
    ids = sorted(incident_ids)
    if len(ids) == 1:
        return f"prune the originals of {ids[0]}"
    digest = hashlib.sha256("\n".join(ids).encode()).hexdigest()[:6]
    return f"prune the originals of {plural(len(ids), 'incident')}, set-{digest}"


def plan_prune(planning: Planning, incidents: Iterable[Incident]) -> Draft:
    """Delete the originals of ``incidents``, a step each. Raises RefusedError."""
    root, steps, freed = planning.workspace.root, [], 0
    named = list(incidents)
    for incident in named:
        found = originals_of(incident)
        if not found:
            continue
        freed += freed_bytes(root, found)
        steps.append(
            PruneKept(
                path=str(paths.INCIDENTS / incident.id),
                before={path: planning.state(path) for path in found},
                says=f"Delete the originals that {incident.id} keeps.",
                by_hand=" \\\n  ".join(("rm --", *map(shlex.quote, found))),
            )
        )
    if not steps:
        raise refused(
            "nothing_to_prune", "No resolved incident keeps originals.", "See all: distill incident list"
        )
    return planning.draft(
        "prune",
        title_of(each.id for each in named).capitalize(),
        steps,
        undo=NO_WAY_BACK,
        reversible=False,
        notes=(f"frees {freed:,} bytes ({size_words(freed)}) of disk",),
    )
