"""Quarantine: rename a contaminated export out of every reader's sight, beside where it was.

The one action that is offered before anything is understood: it takes nothing away, overwrites
nothing, and a rename takes it back.
"""

from __future__ import annotations

import shlex

from pipeline.contracts import paths
from runbook.change.files import checked
from runbook.change.plan import Draft, RenameFile
from runbook.wizard.planning import Planning
from runbook.wizard.refusals import refused

MARK = paths.QUARANTINE_MARK
PLACES = ("exports", "data")


def plan_quarantine(planning: Planning, path: str) -> Draft:
    """Rename ``path`` to ``path.QUARANTINED-<epoch>``. Raises RefusedError."""
    place = checked(path)
    if place.parts[0] not in PLACES or len(place.parts) < 2:
        raise refused(
            "not_an_export",
            f"{path} is no output of the pipeline.",
            f"Quarantine takes files below {' and '.join(f'{name}/' for name in PLACES)}.",
            path,
        )
    if MARK in place.name:
        raise refused("already_quarantined", f"{path} is quarantined already.", "See: distill incident list")
    before = planning.state(path)
    if before.is_absent:
        raise refused("nothing_there", f"There is no {path}.", "See what is there: ls exports/*/", path)
    epoch = int(planning.now)
    while not planning.state(target := f"{path}{MARK}{epoch}").is_absent:
        epoch += 1
    step = RenameFile(
        path=path,
        to=target,
        before=before,
        says=f"Rename {path} to {target}; readers of the export find nothing until it is made again.",
        by_hand=f"mv -n {shlex.quote(path)} {shlex.quote(target)}",
    )
    return planning.draft(
        "quarantine",
        f"Quarantine {path}",
        [step],
        undo=f"Rename {target} back to {path}, if nothing stands there by then.",
        ends="mitigated",
    )
