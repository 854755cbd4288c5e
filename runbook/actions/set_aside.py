"""Set a file aside: a rename beside where it was, for what no reader should meet any more.

A summary that does not validate, say. Unlike quarantine it takes reports as well, and it is no
alarm.
"""

from __future__ import annotations

import shlex

from runbook.change.files import checked
from runbook.change.plan import Draft, RenameFile
from runbook.wizard.planning import Planning
from runbook.wizard.refusals import refused

MARK = ".SET-ASIDE-"
PLACES = ("reports", "exports", "data")


def plan_set_aside(planning: Planning, path: str, why: str) -> Draft:
    """Rename ``path`` to ``path.SET-ASIDE-<epoch>``. Raises RefusedError."""
    place = checked(path)
    if place.parts[0] not in PLACES or place.parts[:2] == ("reports", "incidents"):
        raise refused(
            "not_set_aside", f"{path} is nothing the pipeline wrote.", "Move it by hand, if you must.", path
        )
    before = planning.state(path)
    if before.is_absent:
        raise refused("nothing_there", f"There is no {path}.", "Detect again: distill runbook detect", path)
    epoch = int(planning.now)
    while not planning.state(target := f"{path}{MARK}{epoch}").is_absent:
        epoch += 1
    step = RenameFile(
        path=path,
        to=target,
        before=before,
        says=f"Rename {path} to {target}: {why}",
        by_hand=f"mv -n {shlex.quote(path)} {shlex.quote(target)}",
    )
    return planning.draft(
        "set_aside",
        f"Set {path} aside",
        [step],
        undo=f"Rename {target} back, if nothing stands there by then.",
    )
