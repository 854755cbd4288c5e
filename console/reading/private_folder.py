"""Folders that the console writes to, below the workspace and nowhere else.

A workspace may be a clone of somebody's repository: a link planted at ``reports/console`` would
send what the console writes, and with it quoted data, to any place that the operator may write.
"""

from __future__ import annotations

import errno
from pathlib import Path, PurePath


def private_folder(root: Path, relative: PurePath) -> Path:
    """The folder, made where it is missing and then 0700. Raises OSError, also for a link on the way."""
    place = root
    for part in relative.parts:
        place = place / part
        if place.is_symlink():
            raise OSError(errno.ELOOP, f"{place} is a link", str(place))
        place.mkdir(mode=0o700, exist_ok=True)
    return place
