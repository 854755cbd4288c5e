"""Quarantine: rename a contaminated export out of every reader's sight, beside where it was.

The one action that is offered before anything is understood: it takes nothing away, overwrites
nothing, and a rename takes it back.
"""

from __future__ import annotations

from pipeline.contracts import paths
from runbook.change.files import checked
from runbook.change.plan import Draft
from runbook.change.planning import Planning
from runbook.change.refusals import refused

MARK = paths.QUARANTINE_MARK
PLACES = ("exports", "data")
ASIDE_MARK = ".SET-ASIDE-"
# Reports as well.
ASIDE_PLACES = ("reports", *PLACES)


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
    if planning.state(path).is_absent:
        raise refused("nothing_there", f"There is no {path}.", "See what is there: ls exports/*/", path)
    target = planning.beside(path, MARK)
    says = f"Rename {path} to {target}; readers of the export find nothing until it is made again."
    return planning.draft(
        "quarantine",
        f"Quarantine {path}",
        [planning.renamed(path, target, says)],
        undo=f"Rename {target} back to {path}, if nothing stands there by then.",
        ends="mitigated",
    )


def plan_set_aside(planning: Planning, path: str, why: str) -> Draft:
    """Rename ``path`` to ``path.SET-ASIDE-<epoch>``: for what no reader should meet any more.

    A summary that does not validate, say. It is no alarm. Raises RefusedError.
    """
    place = checked(path)
    if place.parts[0] not in ASIDE_PLACES or place.parts[:2] == ("reports", "incidents"):
        raise refused(
            "not_set_aside", f"{path} is nothing the pipeline wrote.", "Move it by hand, if you must.", path
        )
    if planning.state(path).is_absent:
        raise refused("nothing_there", f"There is no {path}.", "Detect again: distill runbook detect", path)
    target = planning.beside(path, ASIDE_MARK)
    return planning.draft(
        "set_aside",
        f"Set {path} aside",
        [planning.renamed(path, target, f"Rename {path} to {target}: {why}")],
        undo=f"Rename {target} back, if nothing stands there by then.",
    )
