"""A copy of the workspace for rehearsals: large files by hard link, the rest by content.

It lies in ``.distill/``, on the workspace's own file system, and goes away with the block. Files
that something appends to are never linked: an append in the copy would reach the original.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.contracts import paths
from runbook.change.source_roots import link_source_roots, place_of_copy
from runbook.probes.workspace import Workspace

LINK_FROM_BYTES = 4 * 2**20
FOLDER = paths.STATE / "rehearsals"
# What a rehearsal has no use for: history, incidents, caches that can be made again.
_LEFT_OUT = frozenset((".git", str(paths.INCIDENTS), str(paths.STATE)))


@dataclass
class Copy:
    """``root`` of the copy, and how its bytes came there."""

    root: Path
    linked_bytes: int = 0
    copied_bytes: int = 0


@contextlib.contextmanager
def workspace_copy(root: Path) -> Iterator[Copy]:
    """A private copy for the block. Raises OSError (a full disk, say); the original is only read."""
    parent = root / FOLDER
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _sweep(parent)
    folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=parent))
    try:
        settings = Workspace(root).settings()
        copy = Copy(place_of_copy(folder, settings, root.name))
        copy.root.mkdir(mode=0o700)
        _copy_tree(root, copy)
        link_source_roots(root, settings, copy.root, folder)
        state = root / paths.RUN_STATE
        if state.is_file():
            (copy.root / paths.STATE).mkdir(mode=0o700)
            shutil.copy2(state, copy.root / paths.RUN_STATE)
        yield copy
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            parent.rmdir()


def _sweep(parent: Path) -> None:
    """Remove the copies of processes that were killed."""
    for folder in parent.iterdir():
        with contextlib.suppress(ValueError, PermissionError):
            try:
                os.kill(int(folder.name.partition("-")[0]), 0)
            except ProcessLookupError:
                shutil.rmtree(folder, ignore_errors=True)


def _copy_tree(root: Path, copy: Copy) -> None:
    for folder, folders, files in os.walk(root):
        here = Path(folder).relative_to(root)
        folders[:] = [
            name for name in folders if _wanted(here / name) and not (Path(folder) / name).is_symlink()
        ]
        (copy.root / here).mkdir(mode=0o700, exist_ok=True)
        for name in files:
            source = Path(folder) / name
            if source.is_file() and not source.is_symlink():
                _copy_file(source, copy.root / here / name, here / name, copy)


def _wanted(path: Path) -> bool:
    return path.as_posix() not in _LEFT_OUT and path.name != "__pycache__"


def _copy_file(source: Path, target: Path, relative: Path, copy: Copy) -> None:
    size = source.stat().st_size
    if size >= LINK_FROM_BYTES and relative.name.split(".")[0] not in paths.JOURNAL_STEMS:
        with contextlib.suppress(OSError):
            os.link(source, target)
            copy.linked_bytes += size
            return
    shutil.copy2(source, target)
    copy.copied_bytes += size
