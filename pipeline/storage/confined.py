"""No link leads a write out of the workspace.

A workspace may be a clone of somebody's repository: a link planted where outputs go would send
them, and with them copies of the data, to any place that the operator may write. A run
refuses to start while there is one; sources are another matter (``streams/files.py``).
"""

from __future__ import annotations

import stat
from collections.abc import Iterable
from pathlib import Path, PurePath

from pipeline.contracts.faults import Fault, StorageError
from pipeline.contracts.untrusted import visible
from pipeline.storage import disk


def refuse_links(workspace: Path, relatives: Iterable[PurePath | str]) -> None:
    """Raises StorageError when a component below ``workspace`` of any path is a link.

    What does not exist yet is fine. Paths are relative and have no ``..``.
    """
    looked_at: set[Path] = set()
    for relative in relatives:
        place = workspace
        for part in PurePath(relative).parts:
            place = place / part
            if place in looked_at:
                continue
            looked_at.add(place)
            try:
                mode = place.lstat().st_mode
            except OSError:
                break  # not there, or not to be looked at: whoever writes there will be told
            if stat.S_ISLNK(mode):
                raise _link(place)


def refuse_link(place: Path) -> None:
    """Raises StorageError when ``place`` itself is a link."""
    if place.is_symlink():
        raise _link(place)


def write_inside(
    workspace: Path, relative: PurePath | str, data: bytes, *, mode: int = disk.FILE_MODE
) -> None:
    """``disk.write_file`` below the workspace, where no link may lead it out. Raises StorageError."""
    refuse_links(workspace, [relative])
    disk.write_file(workspace / relative, data, mode=mode)


def append_inside(workspace: Path, relative: PurePath | str, line: bytes) -> None:
    """``disk.append_line`` below the workspace, where no link may lead it out. Raises StorageError."""
    refuse_links(workspace, [relative])
    disk.append_line(workspace / relative, line)


def _link(place: Path) -> StorageError:
    leads_to = visible(str(place.readlink()))
    return StorageError(
        Fault(
            code="link_in_the_way",
            what_happened=f"{visible(str(place))} is a link to {leads_to}: a run would write through it.",
            kept_safe="Nothing was written through it; the last outputs are in place.",
            do_next="Remove the link (or move the whole workspace there), then run the command again.",
            file=str(place),
        )
    )
