"""The private place in which acceptance works: made fresh, removed on pass, kept on fail.

It has the layout of a workspace. Beside that, ``variants`` holds further workspaces, ``outside``
stands for the world that no run may write to, ``said`` keeps what each run printed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pipeline.platform.detached import Detached, start_detached
from pipeline.platform.temporary import temporary_place

PREFIX = "distillation_phase6_acceptance."
KEPT_ROOTS = 5

VARIANTS = "variants"
OUTSIDE = "outside"
SAID = "said"
JOBS = "jobs"
# What is no part of the workspace that lies in a root.
NOT_OF_THE_WORKSPACE = (VARIANTS, OUTSIDE, SAID, JOBS)


class TempRoot:
    """A root that was made; ``keep`` decides what becomes of it.

    ``remover`` takes an interrupted one away.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.keep = False
        self.remover: Detached | None = None

    def variant(self, name: str) -> Path:
        """Where the workspace called ``name`` goes; it is not made."""
        return self.path / VARIANTS / name

    @property
    def home(self) -> Path:
        return self.path / OUTSIDE / "home"

    @property
    def current_directory(self) -> Path:
        return self.path / OUTSIDE / "cwd"

    @property
    def temporary(self) -> Path:
        return self.path / OUTSIDE / "tmp"

    @property
    def writes_log(self) -> Path:
        """One line for each write outside that was seen, and one for each watched process."""
        return self.path / OUTSIDE / "writes.log"

    @property
    def said(self) -> Path:
        return self.path / SAID


@contextlib.contextmanager
def temp_root(parent: Path | None = None) -> Iterator[TempRoot]:
    """A fresh root below ``$TMPDIR`` for the block. Raises StorageError or OSError when it cannot be made.

    Who is interrupted does not wait for a disk: the root is then removed by a process that goes on.
    """
    folder = temporary_place() if parent is None else parent
    root = TempRoot(Path(tempfile.mkdtemp(prefix=PREFIX, dir=folder)).resolve())
    # Held while we work: another acceptance that tidies up must not take this root for an old one.
    in_use = os.open(root.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(in_use, fcntl.LOCK_SH)
        for made in (root.path / VARIANTS, root.path / JOBS, root.said, root.path / OUTSIDE):
            made.mkdir(mode=0o700)
        for made in (root.home, root.current_directory, root.temporary):
            made.mkdir(mode=0o700)
        yield root
    except Exception:
        _give_up(root, in_use)
        forget_old_roots(folder)
        raise
    except BaseException:
        os.close(in_use)
        with contextlib.suppress(OSError):
            root.remover = _remove_beside(root.path)
        raise
    _give_up(root, in_use)
    forget_old_roots(folder)


def _give_up(root: TempRoot, in_use: int) -> None:
    os.close(in_use)
    if not root.keep:
        shutil.rmtree(root.path, ignore_errors=True)


def _remove_beside(path: Path) -> Detached:
    """Thousands of files, on a busy disk many seconds. What stays all the same is forgotten later."""
    program = "import shutil, sys; shutil.rmtree(sys.argv[1], ignore_errors=True)"
    argv = [sys.executable, "-I", "-S", "-c", program, str(path)]
    with Path(os.devnull).open("r+b") as nowhere:
        return start_detached(argv, output=nowhere.fileno(), cwd="/")


def forget_old_roots(folder: Path) -> None:
    """Remove our kept roots but for the latest; those in use by a living acceptance stay."""
    kept: list[tuple[int, Path]] = []
    for path in folder.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            status = path.lstat()
            if stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid():
                kept.append((status.st_mtime_ns, path))
    kept.sort(reverse=True)
    for _, path in kept[KEPT_ROOTS:]:
        if not _is_in_use(path):
            shutil.rmtree(path, ignore_errors=True)


def _is_in_use(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)
