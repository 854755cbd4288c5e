"""What lies where, at one moment: two listings tell what was written between them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pipeline.contracts import paths
from pipeline.engine import run_state
from pipeline.platform.lock import is_held

# What lies in the real workspace and may change while we work: sources grow, consoles keep jobs
# and events, and reports are what acceptance itself is asked to write.
_ALIVE = (".git", str(paths.STATE), "reports", str(paths.KNOWLEDGE_BASE))

Listing = dict[str, tuple[int, int, int]]


def listing(folder: Path, without: tuple[str, ...] = ()) -> Listing:
    """Size, time of writing and time of change of everything below ``folder``; links are not followed.

    Not even the owner of a file can set its time of change back.
    """
    found: Listing = {}
    for place, folders, names in os.walk(folder):
        relative = os.path.relpath(place, folder)
        prefix = "" if relative == "." else f"{relative}/"
        folders[:] = sorted(
            name for name in folders if prefix + name not in without and name != "__pycache__"
        )
        for name in (*folders, *names):
            try:
                status = os.lstat(os.path.join(place, name))  # noqa: PTH118 - many files, few objects
            except OSError:
                continue
            # A folder's times follow from its entries, which are listed themselves.
            times = (0, 0) if name in folders else (status.st_mtime_ns, status.st_ctime_ns)
            found[prefix + name] = (0 if name in folders else status.st_size, *times)
    return found


@dataclass(frozen=True)
class RealWorkspace:
    """The real workspace at one moment: what a run elsewhere has no reason to change, and who may."""

    files: Listing
    last_run: str
    is_held: bool

    @classmethod
    def of(cls, workspace: Path) -> RealWorkspace:
        state = run_state.load(workspace)
        return cls(listing(workspace, _ALIVE), state.pipeline_run_id, is_held(workspace))


def changes(before: Listing, after: Listing) -> list[str]:
    return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
