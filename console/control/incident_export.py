"""Pack an incident for somebody elsewhere: the plan, and the one command that carries it out."""

from __future__ import annotations

import sys
from pathlib import Path

from console.control.feed import CommandPlan
from pipeline.contracts import paths
from pipeline.contracts.discovery import firewall_environment
from pipeline.contracts.faults import StorageError
from pipeline.contracts.untrusted import visible
from pipeline.platform import confined
from pipeline.platform.process import run

FOLDER = Path("reports/console")
LIMIT_SECONDS = 120.0


def plan(root: Path, incident_id: str) -> CommandPlan | None:
    """The plan; None for an incident that is not there. The file's name is one that is free."""
    if not incident_id or "/" in incident_id or not (root / paths.INCIDENTS / incident_id).is_dir():
        return None
    number, target = 1, FOLDER / f"{incident_id}.tar.gz"
    while (root / target).exists():
        number += 1
        target = FOLDER / f"{incident_id}-{number}.tar.gz"
    words = ("incident", "export", incident_id, "--out", str(root / target))
    return CommandPlan(
        "incident.export",
        "EXPORT THE INCIDENT",
        arguments=(incident_id, str(target)),
        command=("distill", "-C", str(root), *words),
        changes=(
            f"{target}: one new file, readable by you alone",
            "it holds the journal, the page, and kept files of up to 1 MiB, which may quote data",
        ),
        stays=("the incident's journal; what is open stays open",),
        way_back=f"rm {target}",
        yes="yes, write that file",
    )


def carry_out(root: Path, made: CommandPlan) -> str:
    """Write the pack, by the command that the plan shows. Blocking. Raises StorageError."""
    _, target = made.arguments
    try:
        confined.make_folder(root, FOLDER)
    except OSError as error:
        raise _not_written(str(error)) from error
    done = run(
        [sys.executable, "-P", "-m", "console", *made.command[1:]],
        limit_seconds=LIMIT_SECONDS,
        env=firewall_environment(),
    )
    if done.exit_code != 0:
        raise _not_written(done.why or (done.said[0] if done.said else done.reason))
    size = (root / target).stat().st_size
    return f"exported: {target}, {size:,} bytes"


def _not_written(why: str) -> StorageError:
    return StorageError.of(
        "incident_not_exported",
        f"The incident could not be packed: {visible(why, 300)}.",
        "The incident is as it was.",
        "See why by hand: distill incident export.",
    )
