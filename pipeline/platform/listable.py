"""Whether a pattern can be followed: ``glob`` takes a folder that it may not list for an empty one."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import takewhile
from pathlib import Path, PurePosixPath


def fixed_part(pattern: PurePosixPath) -> PurePosixPath:
    """The leading parts that hold no wildcard."""
    return PurePosixPath(*takewhile(lambda part: not glob.has_magic(part), pattern.parts))


def check_listable(root: Path, pattern: str) -> None:
    """Raises OSError for a folder that ``pattern`` leads into and that may not be listed or entered.

    One that is gone is none. Hidden folders are passed over unless they are named, as ``glob`` does.
    """
    folder = PurePosixPath(pattern).parent
    top = fixed_part(folder)
    folders = [root / top]
    for part in folder.parts[len(top.parts) :]:
        folders = [below for above in folders for below in _below(above, part)]
    for each in folders:
        _entries(each)


def _below(folder: Path, part: str) -> Iterator[Path]:
    """The folders that one part of a pattern leads to."""
    if part == "**":
        yield folder
        for entry in _entries(folder):
            if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
                yield from _below(Path(entry.path), part)
    elif glob.has_magic(part):
        for entry in _entries(folder):
            is_meant = entry.name.startswith(".") == part.startswith(".") and fnmatchcase(entry.name, part)
            if is_meant and entry.is_dir():
                yield Path(entry.path)
    else:
        yield folder / part


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            (folder / ".").stat()  # who may list it may still not be allowed to look at what lies there
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []
