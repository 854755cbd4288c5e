"""The faulty disk of ``shim.c``: built once, told by a page of shared memory when to fail.

A shim before the C library is the honest way: it fails under Python's own files, under git and under every
program that a command starts, where a replaced Python function fails under those alone that know of it.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WRITE, SYNC, RENAME, CREATE, OPEN, LINK, UNLINK, MKDIR = (1 << bit for bit in range(8))
CONTROL_VARIABLE = "DISTILL_FAULTY_DISK"
_SOURCE = Path(__file__).with_name("shim.c")


class Control(ctypes.Structure):
    """``struct control`` of ``shim.c``."""

    _fields_ = (
        ("armed", ctypes.c_uint64),
        ("kinds", ctypes.c_uint64),
        ("fail_at", ctypes.c_uint64),
        ("for_good", ctypes.c_uint64),
        ("error", ctypes.c_uint64),
        ("counted", ctypes.c_uint64),
        ("failed", ctypes.c_uint64),
        ("root", ctypes.c_char * 1024),
        ("first", ctypes.c_char * 1024),
        ("clock_seconds", ctypes.c_int64),
    )


def compiler() -> str | None:
    """A C compiler, where there is one."""
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def build(folder: Path) -> Path:
    """The shim as a library in ``folder``. Raises RuntimeError, with what the compiler said."""
    library = folder / "shim.so"
    argv = [compiler() or "cc", "-O2", "-shared", "-fPIC", "-o", str(library), str(_SOURCE), "-ldl"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return library


def environment(library: Path, control: Path) -> dict[str, str]:
    """What a program's environment needs so that it is under the shim."""
    return {**os.environ, "LD_PRELOAD": str(library), CONTROL_VARIABLE: str(control)}


def control_page(path: Path) -> Path:
    """A page that says: let everything through."""
    path.write_bytes(bytes(ctypes.sizeof(Control)))
    return path


class FaultyDisk:
    """The control page of programs that run under ``environment``; ``path`` was made by ``control_page``."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), ctypes.sizeof(Control))
        self._control = Control.from_buffer(self._memory)

    @contextmanager
    def armed(
        self, root: Path, kinds: int, fail_at: int, error: int, *, for_good: bool = False
    ) -> Iterator[None]:
        """Count operations of ``kinds`` below ``root`` within the block; the ``fail_at``-th fails with
        ``error``, with 0 it is a short write. With ``fail_at`` 0 all are only counted."""
        control = self._control
        control.armed = 0
        control.root = str(root.resolve()).encode()
        control.kinds, control.fail_at, control.error = kinds, fail_at, error
        control.for_good, control.counted, control.failed, control.first = int(for_good), 0, 0, b""
        control.armed = 1
        try:
            yield
        finally:
            control.armed = 0

    @contextmanager
    def clock_off_by(self, seconds: int) -> Iterator[None]:
        """The wall clock of every program under the shim is off within the block; the others are right."""
        self._control.clock_seconds = seconds
        try:
            yield
        finally:
            self._control.clock_seconds = 0

    @property
    def counted(self) -> int:
        return int(self._control.counted)

    @property
    def failed(self) -> int:
        return int(self._control.failed)

    @property
    def first(self) -> str:
        """The first operation that failed: its kind and the file."""
        return bytes(self._control.first).decode(errors="replace")
